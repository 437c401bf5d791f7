-- wrk: every request presents the next key of a file, so that no cache sees one key only.
-- Environment: P402_BENCH_KEYS (file, one key a line), P402_BENCH_MODE ("authz", "verify" or "fixed"), and for
-- "verify" P402_BENCH_CALLER (a key with keys:verify).
local requests, next_request = {}, 0

function init(args)
  local mode = os.getenv("P402_BENCH_MODE")
  local caller = os.getenv("P402_BENCH_CALLER")
  for key in io.lines(os.getenv("P402_BENCH_KEYS")) do
    if mode == "verify" then
      requests[#requests + 1] = wrk.format("POST", "/api/v2/keys/verify",
        { ["Authorization"] = "Bearer " .. caller, ["Content-Type"] = "application/json" },
        '{"key":"' .. key .. '"}')
    else
      requests[#requests + 1] = wrk.format("GET", "/authz/default", { ["Authorization"] = "Bearer " .. key })
    end
  end
  next_request = math.random(#requests)
end

function request()
  next_request = next_request % #requests + 1
  return requests[next_request]
end

function done(summary, latency)
  io.write(string.format("RESULT %d %d %d %d %d %d\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
