-- wrk: every request has the next item of a file, so that no cache sees one key only.
-- Environment: BENCH_REQUEST (file: a request as it is sent, with {item}), BENCH_ITEMS (file, one item a line).
local requests, next_request = {}, 0

function init(args)
  local file = assert(io.open(os.getenv("BENCH_REQUEST"), "rb"))
  local text = file:read("*a")
  file:close()
  local at, to = text:find("{item}", 1, true)
  local front, back = text:sub(1, at - 1), text:sub(to + 1)
  for item in io.lines(os.getenv("BENCH_ITEMS")) do
    requests[#requests + 1] = front .. item .. back
  end
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
