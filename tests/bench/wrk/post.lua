-- One fixed request over and over. From the environment: METHOD, BODY, CTYPE,
-- AUTH (the Authorization header's value), EXPECT (a text each answer must
-- hold), CHECK=1 (look at each answer), RATE (requests a second of all
-- CONNECTIONS together, sent after exponential pauses).
dofile(os.getenv("WRK_DIR") .. "/report.lua")
wrk.method = os.getenv("METHOD") or "POST"
wrk.body = os.getenv("BODY")
if os.getenv("CTYPE") then wrk.headers["Content-Type"] = os.getenv("CTYPE") end
if os.getenv("AUTH") then wrk.headers["Authorization"] = os.getenv("AUTH") end
local rate = tonumber(os.getenv("RATE") or "")
local connections = tonumber(os.getenv("CONNECTIONS"))

function init() bad = 0; sample = "" end

if rate then
	function delay()
		return math.floor(
		    -math.log(1 - math.random()) * connections / rate * 1000)
	end
end

if os.getenv("CHECK") then
	function response(status, headers, body) check_answer(status, body) end
end
