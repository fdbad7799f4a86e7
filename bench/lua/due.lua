-- POST /jobs for COUNT jobs: the first due at BASE (seconds since 1970), each
-- STEP microseconds after the one before; the path tells the due time.  For
-- one thread.

local here = debug.getinfo(1, "S").source:match("^@(.*/)")
dofile(here .. "result.lua")
dofile(here .. "job.lua")

local count = tonumber(os.getenv("COUNT"))
local base = tonumber(os.getenv("BASE"))
local step = tonumber(os.getenv("STEP"))
local target = os.getenv("TARGET")
local sent, made = -1, 0

function init()
    nothing = wrk.format("GET", "/health")
end

function request()
    -- wrk looks at one request that it does not send
    if sent == -1 then
        sent = 0
        return nothing
    end

    -- the last answers are still to come
    if sent == count then
        return nothing
    end

    local usec = sent * step
    local sec = base + math.floor(usec / 1e6)

    usec = usec % 1e6
    sent = sent + 1

    return wrk.format(nil, nil, nil, job(
        string.format("%s/due/%d%06d", target, sec, usec),
        os.date("!%Y-%m-%dT%H:%M:%S", sec)
        .. string.format(".%06dZ", usec)))
end

function delay()
    return sent == count and 1000 or 0
end

-- wrk ends only when its time is over or when it is interrupted, which it is
-- not while a command of its own runs.
function response(status)
    if status ~= 200 then
        made = made + 1

        if made == count then
            local pid = io.open("/proc/self/stat"):read("*n")
            os.execute("(sleep 0.05; kill -INT " .. pid .. ") &")
        end
    end
end
