#include "base/log.h"

#include <fmt/format.h>
#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <cmath>

#include "base/text.h"

namespace p402 {
namespace {

constexpr size_t kQueueLines = 8192;

constexpr std::string_view kLevelNames[] = {"debug", "info", "warning", "error"};
constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::debug, spdlog::level::info,
                                                 spdlog::level::warn, spdlog::level::err};

void AppendValue(std::string& line, const LogField& field) {
  if (const auto* text = std::get_if<std::string_view>(&field.value)) {
    AppendJsonString(line, *text);
  } else if (const auto* number = std::get_if<int64_t>(&field.value)) {
    fmt::format_to(std::back_inserter(line), "{}", *number);
  } else if (const auto* real = std::get_if<double>(&field.value)) {
    if (std::isfinite(*real)) {
      fmt::format_to(std::back_inserter(line), "{}", *real);
    } else {
      line += "null";
    }
  } else {
    line += std::get<bool>(field.value) ? "true" : "false";
  }
}

std::string MakeLine(WallTime now, LogLevel level, std::string_view event,
                     std::span<const LogField> fields) {
  std::string line = fmt::format(R"({{"time":"{}","level":"{}","event":)", FormatRfc3339(now),
                                 kLevelNames[static_cast<size_t>(level)]);
  AppendJsonString(line, event);
  for (const LogField& field : fields) {
    line += ',';
    AppendJsonString(line, field.name);
    line += ':';
    AppendValue(line, field);
  }
  line += '}';
  return line;
}

// spdlog's queue and thread; the lines are whole JSON objects already, so its pattern is "%v"
// alone.
class SpdLog final : public Log {
 public:
  SpdLog(spdlog::sink_ptr sink, LogLevel level)
      : level_(level),
        pool_(std::make_shared<spdlog::details::thread_pool>(kQueueLines, 1)),
        logger_(std::make_shared<spdlog::async_logger>(
            "p402", std::move(sink), pool_, spdlog::async_overflow_policy::overrun_oldest)) {
    logger_->set_pattern("%v");
    logger_->set_level(spdlog::level::debug);
    logger_->flush_on(spdlog::level::debug);
  }
  ~SpdLog() override { Flush(); }

  void Write(LogLevel level, std::string_view event, std::span<const LogField> fields) override {
    if (level < level_) return;
    ReportDropped();
    logger_->log(kLevels[static_cast<size_t>(level)], MakeLine(clock_.Now(), level, event, fields));
  }
  void Flush() override { logger_->flush(); }

 private:
  // Says once how many lines a full queue cost since the last time.
  void ReportDropped() {
    const size_t dropped = pool_->overrun_counter();
    size_t reported = reported_.load(std::memory_order_relaxed);
    if (dropped == reported || !reported_.compare_exchange_strong(reported, dropped)) return;
    const LogField fields[] = {{"lines", dropped - reported}};
    logger_->log(spdlog::level::warn,
                 MakeLine(clock_.Now(), LogLevel::kWarning, "log.dropped", fields));
  }

  const RealClock clock_;
  const LogLevel level_;
  std::atomic<size_t> reported_ = 0;
  std::shared_ptr<spdlog::details::thread_pool> pool_;
  std::shared_ptr<spdlog::async_logger> logger_;
};

}  // namespace

Result<std::unique_ptr<Log>> OpenLog(const LogOptions& options) {
  try {
    spdlog::sink_ptr sink;
    if (options.file.empty()) {
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.file);
    }
    return std::unique_ptr<Log>(std::make_unique<SpdLog>(std::move(sink), options.level));
  } catch (const std::exception& error) {
    return Fail(ErrorCode::kIo, fmt::format("cannot open the log: {}", error.what()));
  }
}

}  // namespace p402
