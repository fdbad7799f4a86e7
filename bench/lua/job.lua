-- A job as an application would make it: some headers, a body of 256 bytes.

wrk.method = "POST"
wrk.headers["Authorization"] = "Bearer " .. os.getenv("TOKEN")
wrk.headers["Content-Type"] = "application/json"

local body = '{\\"order\\":\\"4711\\",\\"customer\\":\\"c-0815\\",'
             .. '\\"total\\":1999,\\"currency\\":\\"EUR\\",\\"note\\":\\"'
body = body .. string.rep("x", 256 + 14 - #body - 3) .. '\\"}'

function job(url, scheduled_at)
    return '{"url":"' .. url .. '","http_method":"POST","scheduled_at":"'
           .. scheduled_at .. '","max_retries":3,"headers":{"X-Tenant":'
           .. '"shop-17","X-Event":"order.paid"},"body":"' .. body .. '"}'
end
