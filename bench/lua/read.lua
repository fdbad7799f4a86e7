-- GET: the path given, or /jobs/{id} for the ids in the file IDS, in turn.

local here = debug.getinfo(1, "S").source:match("^@(.*/)")
dofile(here .. "result.lua")

wrk.headers["Authorization"] = "Bearer " .. os.getenv("TOKEN")

local file = os.getenv("IDS")
local texts = {}
local n = 0
local made = 0

function setup(thread)
    thread:set("id", made)
    made = made + 1
end

function init()
    if not file then
        texts[1] = wrk.format()
        return
    end

    for id in io.lines(file) do
        texts[#texts + 1] = wrk.format(nil, "/jobs/" .. id)
    end

    -- the threads do not walk in step
    n = id * 997
end

function request()
    n = n % #texts + 1
    return texts[n]
end
