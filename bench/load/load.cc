// The load program of script/bench: p402_load --help. Cheaper than wrk, with a different item in
// every request, and with a fixed rate whose latency counts from the intended moment.
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <utility>

#include "bench/load/client.h"

namespace p402::bench {
namespace {

struct Options {
  Plan plan;
  std::string items_file;
  std::string kept_file;
  int64_t rate = 0;
};

Status ReadItems(const std::string& file, std::vector<std::string>& items) {
  std::ifstream in(file);
  if (!in) return Fail(ErrorCode::kIo, "cannot read " + file);
  for (std::string line; std::getline(in, line);) {
    if (!items.empty() && line.size() != items.front().size()) {
      return Fail(ErrorCode::kInvalidArgument, file + ": all lines must have one length");
    }
    items.push_back(line);
  }
  if (items.empty()) return Fail(ErrorCode::kInvalidArgument, file + " is empty");
  return {};
}

// The request comes on standard input: it holds a raw key, which never stands in argv.
Status Complete(Options& options) {
  Plan& plan = options.plan;
  if (!options.items_file.empty()) P402_TRY(ReadItems(options.items_file, plan.items));
  const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
  auto request = RequestTemplate::Parse(text, plan.items.empty() ? 0 : plan.items.front().size());
  if (!request || text.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "standard input must be one request");
  }
  if (request->has_item() && plan.items.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "{item} needs --items");
  }
  plan.request = *std::move(request);
  if (options.rate > 0) plan.per_second = options.rate;
  return {};
}

double CpuSeconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

void Print(const Outcome& outcome, double cpu_seconds) {
  const auto us = [](int64_t ns) { return static_cast<double>(ns) / 1000; };
  const auto& latency = outcome.latency;
  const double seconds = outcome.measured_seconds;
  const double rate = seconds > 0 ? static_cast<double>(outcome.measured) / seconds : 0;
  fmt::print(
      R"({{"answered":{},"measured":{},"seconds":{:.6f},"rps":{:.3f},"refused":{},"broken":{},)"
      R"("unanswered":{},"p50_us":{:.3f},"p90_us":{:.3f},"p99_us":{:.3f},"p999_us":{:.3f},)"
      R"("max_us":{:.3f},"late_p99_us":{:.3f},"cpu_seconds":{:.6f}}})"
      "\n",
      outcome.answered, outcome.measured, seconds, rate, outcome.refused, outcome.broken,
      outcome.unanswered, us(latency.Quantile(0.5)), us(latency.Quantile(0.9)),
      us(latency.Quantile(0.99)), us(latency.Quantile(0.999)), us(latency.max()),
      us(outcome.lateness.Quantile(0.99)), cpu_seconds);
}

Status WriteLines(const std::string& file, const std::vector<std::string>& lines) {
  std::ofstream out(file);
  for (const auto& line : lines) out << line << '\n';
  return out.flush() ? Status() : Fail(ErrorCode::kIo, "cannot write " + file);
}

Status Measure(Options& options) {
  P402_TRY(Complete(options));
  // A timer of 50 µs more would be half of a latency.
  prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  const double cpu_before = CpuSeconds();
  P402_TRY(const Outcome outcome, RunLoad(options.plan));
  if (outcome.refused > 0) {
    fmt::print(stderr, "p402_load: the first refusal: {:.400}\n", outcome.first_refusal);
  }
  Print(outcome, CpuSeconds() - cpu_before);
  return options.kept_file.empty() ? Status() : WriteLines(options.kept_file, outcome.kept);
}

int Run(int argc, char** argv) {
  Options options;
  Plan& plan = options.plan;
  CLI::App app(
      "Asks a server on 127.0.0.1 and prints what it measured as JSON. The request, as it is "
      "sent,\n"
      "comes on standard input; {item} in it stands for a line of --items, a different one in\n"
      "every request.");
  app.add_option("--port", plan.port)->required();
  app.add_option("--items", options.items_file, "file: what stands for {item}, all of one length");
  app.add_option("--first", plan.first_item, "number of the item to begin with");
  app.add_flag("--once", plan.uses_items_once, "use no item twice; end when there is none");
  app.add_option("--connections", plan.connections)->check(CLI::Range(1, 10'000));
  app.add_option("--rate", options.rate, "requests a second; without it, as many as are answered")
      ->check(CLI::Range(int64_t{1}, int64_t{1'000'000}));
  app.add_option("--warm-up", plan.warm_up_seconds, "seconds before the measurement")
      ->check(CLI::Range(0.0, 60.0));
  app.add_option("--seconds", plan.seconds)->check(CLI::Range(0.01, 600.0));
  app.add_option("--status", plan.status, "of the answers; every other counts as refused");
  app.add_option("--body-start", plan.body_start, "and so does a body that begins otherwise");
  auto* keep = app.add_option("--keep", plan.kept_field, "field of the answers that is kept");
  app.add_option("--keep-file", options.kept_file, "where, one a line")->needs(keep);
  CLI11_PARSE(app, argc, argv);
  const auto measured = Measure(options);
  if (measured) return 0;
  fmt::print(
      stderr, "p402_load: {}\n",
      measured.error().detail.empty() ? measured.error().public_message : measured.error().detail);
  return 1;
}

}  // namespace
}  // namespace p402::bench

int main(int argc, char** argv) {
  return p402::bench::Run(argc, argv);
}
