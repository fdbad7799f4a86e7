-- POST /jobs for all of a load: each job falls due LEAD seconds after its
-- create (2 to 3, by default).  A client waits DELAY milliseconds before each.

local here = debug.getinfo(1, "S").source:match("^@(.*/)")
dofile(here .. "result.lua")
dofile(here .. "job.lua")

local lead = tonumber(os.getenv("LEAD") or 3)
local pause = tonumber(os.getenv("DELAY") or 0)
local url = os.getenv("TARGET") .. "/hooks/orders"
local made_at, text

-- The text is made once a second.
function request()
    local now = os.time()

    if now ~= made_at then
        made_at = now
        text = wrk.format(nil, nil, nil, job(url,
            os.date("!%Y-%m-%dT%H:%M:%SZ", now + lead)))
    end

    return text
end

function delay()
    return pause
end
