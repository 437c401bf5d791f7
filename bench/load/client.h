#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "bench/load/answer.h"
#include "bench/load/histogram.h"
#include "bench/load/request.h"
#include "bench/load/schedule.h"

namespace p402::bench {

struct Plan {
  uint16_t port = 0;  // on 127.0.0.1
  RequestTemplate request;
  // What stands for {item}, one after the other, all of one size; used again from the front unless
  // `uses_items_once`: then the load ends with them.
  std::vector<std::string> items = {};
  size_t first_item = 0;
  bool uses_items_once = false;
  int connections = 64;
  // nullopt: every connection asks again as soon as it is answered (closed loop). Otherwise this
  // many requests a second, whatever the server does (open loop).
  std::optional<int64_t> per_second = {};
  double warm_up_seconds = 1;  // not in the figures
  double seconds = 5;
  // Every other answer is a refusal.
  int status = 200;
  std::string body_start = {};
  // The JSON field of every expected answer whose text is kept; empty: none.
  std::string kept_field = {};
};

struct Outcome {
  uint64_t answered = 0;  // everything, with the warm-up
  uint64_t measured = 0;  // what follows is about these only
  double measured_seconds = 0;
  uint64_t refused = 0;     // with the warm-up
  uint64_t broken = 0;      // connections that failed or ended, with the warm-up
  uint64_t unanswered = 0;  // still open when the run was over
  // From the moment of sending (closed loop), or from the intended one (open loop).
  Histogram latency = {};
  // Open loop: how long after the intended moment a request was sent.
  Histogram lateness = {};
  std::vector<std::string> kept = {};
  std::string first_refusal = {};  // its status line and body, for a message
};

// Asks a server, with one thread and keep-alive connections that have one request under way each.
// Ends within warm-up, seconds and 5 s more.
// Errors: kUnavailable: no connection; kIo.
Result<Outcome> RunLoad(const Plan& plan);

}  // namespace p402::bench
