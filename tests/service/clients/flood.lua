-- wrk as an attacker who guesses: a client id of its own for every request,
-- from one of many sources. Arguments: the first number, how many sources.
local number, sources

function init(args)
  number = tonumber(args[1])
  sources = tonumber(args[2])
end

local digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ" ..
  "abcdefghijklmnopqrstuvwxyz0123456789+/"

local function base64(text)
  local out = {}
  for i = 1, #text, 3 do
    local a, b, c = text:byte(i, i + 2)
    local bits = a * 65536 + (b or 0) * 256 + (c or 0)
    for shift = 3, 0, -1 do
      local at = math.floor(bits / 64 ^ shift) % 64
      out[#out + 1] = digits:sub(at + 1, at + 1)
    end
    if not b then out[#out - 1] = "=" end
    if not c then out[#out] = "=" end
  end
  return table.concat(out)
end

function request()
  local source = number % sources
  local headers = {
    ["Content-Type"] = "application/x-www-form-urlencoded",
    ["Authorization"] = "Basic " .. base64("ghost-" .. number .. ":guess"),
    ["X-Forwarded-For"] = string.format("10.%d.%d.%d", source / 65536 % 256,
      source / 256 % 256, source % 256),
  }
  number = number + 1
  return wrk.format("POST", "/oauth/v1/token", headers,
    "grant_type=client_credentials")
end
