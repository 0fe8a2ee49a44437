-- Requests made of earlier answers: what the pattern FIND captures of one goes
-- in place of @ in a later NEXT body on NEXT_PATH, once; while there is none,
-- BODY is sent to FIRST_PATH. The lines of the file TOKENS count as captured
-- before. The other variables are those of post.lua.
dofile(os.getenv("WRK_DIR") .. "/report.lua")
wrk.method = "POST"
wrk.headers["Content-Type"] = os.getenv("CTYPE")
wrk.headers["Authorization"] = os.getenv("AUTH")
local find = os.getenv("FIND")
local first, first_path = os.getenv("BODY"), os.getenv("FIRST_PATH")
local next_body, next_path = os.getenv("NEXT"), os.getenv("NEXT_PATH")
local check = os.getenv("CHECK")

function init()
	bad = 0
	sample = ""
	found = {}
	if os.getenv("TOKENS") then
		for line in io.lines(os.getenv("TOKENS")) do
			table.insert(found, line)
		end
	end
end

function request()
	local item = table.remove(found)
	if not item then
		return wrk.format(nil, first_path, nil, first)
	end
	return wrk.format(nil, next_path, nil, (next_body:gsub("@", item)))
end

function response(status, headers, body)
	local item = body:match(find)
	if item then table.insert(found, item) end
	if check then check_answer(status, body) end
end
