-- Asks P402 Keys about a request. HAProxy 2.6 or newer, with Lua.
--
--   global
--       lua-load /etc/haproxy/p402.lua http://127.0.0.1:4020
--   frontend …
--       http-request lua.p402_authz default
--
-- The argument of the action is the name of a route of P402 Keys. A refused request is answered at
-- once, with the status, the headers and the body that P402 Keys gave. If P402 Keys cannot be asked,
-- nobody passes.

local base = ... or "http://127.0.0.1:4020"
local identity = { "x-auth-key-id", "x-auth-name", "x-auth-account", "x-auth-mode", "x-auth-scopes", "x-auth-owner" }
local passed_on = { "content-type", "www-authenticate", "retry-after", "cache-control", "x-request-id" }

-- The only value of a header, nil if there is none; false if there are several.
local function single(headers, name)
  local values = headers[name]
  if values == nil then return nil end
  local first = values[0] or values[1]
  local count = 0
  for _ in pairs(values) do count = count + 1 end
  if count > 1 then return false end
  return first
end

local function refuse(txn, status, headers, body)
  local reply = txn:reply()
  reply:set_status(status)
  for name, value in pairs(headers) do reply:add_header(name, value) end
  reply:set_body(body)
  txn:done(reply)
end

local function unavailable(txn)
  refuse(txn, 503, { ["content-type"] = "application/problem+json", ["retry-after"] = "1" },
    '{"type":"about:blank","title":"Service Unavailable","status":503,"code":"not_ready"}')
end

core.register_action("p402_authz", { "http-req" }, function(txn, route)
  local received = txn.http:req_get_headers()
  local question = { ["x-forwarded-for"] = { txn.f:src() } }
  for _, name in ipairs({ "authorization", "x-api-key" }) do
    local value = single(received, name)
    if value == false then
      return refuse(txn, 400, { ["content-type"] = "application/problem+json" },
        '{"type":"about:blank","title":"Bad Request","status":400,"code":"invalid_request"}')
    end
    if value then question[name] = { value } end
  end
  -- What a client writes into these headers is never passed on, and the raw key ends here.
  for name in pairs(received) do
    if name:sub(1, 7) == "x-auth-" then txn.http:req_del_header(name) end
  end
  txn.http:req_del_header("authorization")
  txn.http:req_del_header("x-api-key")

  local answer = core.httpclient():get({ url = base .. "/authz/" .. route, headers = question, timeout = 5000 })
  if answer == nil or answer.status == nil or answer.status == 0 then return unavailable(txn) end
  local headers = answer.headers or {}
  if answer.status ~= 200 then
    local kept = {}
    for _, name in ipairs(passed_on) do
      local value = single(headers, name)
      if value then kept[name] = value end
    end
    return refuse(txn, answer.status, kept, answer.body or "")
  end
  for _, name in ipairs(identity) do
    txn.http:req_set_header(name, single(headers, name) or "-")
  end
end, 1)
