-- POST /jobs: an ordinary job, due in a far future.  With DELAY a client
-- waits that many milliseconds before each.

local here = debug.getinfo(1, "S").source:match("^@(.*/)")
dofile(here .. "result.lua")
dofile(here .. "job.lua")

local pause = tonumber(os.getenv("DELAY"))

function init()
    text = wrk.format(nil, nil, nil, job(os.getenv("TARGET")
                                         .. "/hooks/orders",
                                         "2099-01-01T00:00:00Z"))
end

function request()
    return text
end

if pause then
    function delay()
        return pause
    end
end
