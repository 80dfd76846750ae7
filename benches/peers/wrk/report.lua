-- For wrk: the depth of the pipeline comes as an argument, and the result goes out as one line of JSON.

function init(arguments)
   local depth = tonumber(arguments[1]) or 1
   local one = wrk.format("GET", "/plaintext", { Host = "localhost", Connection = "keep-alive" })
   together = string.rep(one, depth)
end

function request()
   return together
end

function done(summary, latency)
   local errors = 0
   for _, count in pairs(summary.errors) do
      errors = errors + count
   end
   io.write(string.format('{"requests": %d, "seconds": %f, "errors": %d, "p50_us": %d, "p99_us": %d}\n',
      summary.requests, summary.duration / 1e6, errors, latency:percentile(50), latency:percentile(99)))
end
