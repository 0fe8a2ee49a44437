-- What both load scripts share: looking at answers (CHECK=1: for the warm-up,
-- it costs the load generator more than the server) and the line that
-- load.py reads.
local threads = {}
local expect = os.getenv("EXPECT")

function setup(thread) table.insert(threads, thread) end

function check_answer(status, body)
	if status ~= 200 or (expect and not body:find(expect, 1, true)) then
		bad = bad + 1
		sample = status .. " " .. body:sub(1, 300)
	end
end

function done(summary, latency)
	local bad, sample = 0, ""
	for _, thread in ipairs(threads) do
		bad = bad + (thread:get("bad") or 0)
		if thread:get("sample") ~= "" then sample = thread:get("sample") end
	end
	local e = summary.errors
	io.write(string.format("WRK %d %d %.0f %.0f %.0f %.0f %d %d\n",
	    summary.requests, summary.duration, latency:percentile(50),
	    latency:percentile(99), latency:percentile(99.9), latency.max,
	    e.connect + e.read + e.write + e.status + e.timeout, bad))
	if sample ~= "" then io.write("SAMPLE " .. sample .. "\n") end
end
