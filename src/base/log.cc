#include "base/log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <atomic>
#include <cerrno>
#include <cmath>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <mutex>

#include "base/file.h"
#include "base/text.h"

namespace p402 {
namespace {

constexpr size_t kQueueLines = 8192;
constexpr Millis kFlushDeadline(5000);

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

// The far side of the queue: passes each line on, says before it how many a full queue cost, and
// lets Flush wait for the line.
class LineSink final : public spdlog::sinks::sink {
 public:
  LineSink(spdlog::sink_ptr inner, spdlog::details::thread_pool& pool)
      : inner_(std::move(inner)), pool_(pool) {
    inner_->set_pattern("%v");  // a line is a whole JSON object already
  }

  void log(const spdlog::details::log_msg& line) override {
    const size_t dropped = pool_.overrun_counter();
    if (dropped != reported_) {
      const LogField fields[] = {{"lines", dropped - reported_}};
      const std::string text =
          MakeLine(RealClock().Now(), LogLevel::kWarning, "log.dropped", fields);
      reported_ = dropped;
      inner_->log(spdlog::details::log_msg("", spdlog::level::warn, text));
    }
    inner_->log(line);
  }
  // Called after each line (flush_on), whether it could be written or not.
  void flush() override {
    const Finish finish(*this);
    inner_->flush();
  }
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

  // Waits until `lines` are written or dropped, or for `at_most`: a pipe that nobody reads must not
  // hold up the caller.
  void WaitFor(size_t lines, Millis at_most) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, at_most, [&] { return finished_ + pool_.overrun_counter() >= lines; });
  }

 private:
  // Counts the line, also when writing it threw: spdlog catches that around flush().
  struct Finish {
    explicit Finish(LineSink& sink) : sink_(sink) {}
    ~Finish() {
      std::lock_guard lock(sink_.mutex_);
      ++sink_.finished_;
      sink_.changed_.notify_all();
    }
    LineSink& sink_;
  };

  const spdlog::sink_ptr inner_;
  spdlog::details::thread_pool& pool_;
  size_t reported_ = 0;  // only the queue's thread uses it
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t finished_ = 0;
};

// spdlog's queue and thread. Its own Flush only queues a request, so that we wait for the lines.
class SpdLog final : public Log {
 public:
  SpdLog(spdlog::sink_ptr sink, LogLevel level)
      : level_(level),
        pool_(std::make_shared<spdlog::details::thread_pool>(kQueueLines, 1)),
        sink_(std::make_shared<LineSink>(std::move(sink), *pool_)),
        logger_(std::make_shared<spdlog::async_logger>(
            "p402", sink_, pool_, spdlog::async_overflow_policy::overrun_oldest)) {
    logger_->set_level(spdlog::level::debug);
    logger_->flush_on(spdlog::level::debug);
  }
  ~SpdLog() override { Flush(); }

  void Write(LogLevel level, std::string_view event, std::span<const LogField> fields) override {
    if (level < level_) return;
    const std::string line = MakeLine(clock_.Now(), level, event, fields);
    written_.fetch_add(1);
    logger_->log(kLevels[static_cast<size_t>(level)], line);
  }
  void Flush() override { sink_->WaitFor(written_.load(), kFlushDeadline); }

 private:
  const RealClock clock_;
  const LogLevel level_;
  std::atomic<size_t> written_ = 0;
  // The pool is destroyed last: its thread uses the others until it is joined.
  std::shared_ptr<spdlog::details::thread_pool> pool_;
  std::shared_ptr<LineSink> sink_;
  std::shared_ptr<spdlog::async_logger> logger_;
};

}  // namespace

Result<std::unique_ptr<Log>> OpenLog(const LogOptions& options) {
  try {
    spdlog::sink_ptr sink;
    if (options.file.empty()) {
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
      // Made here, so that it is its owner's alone: it names keys and addresses.
      std::error_code ignored;  // what is wrong shows when the file is opened
      std::filesystem::create_directories(std::filesystem::path(options.file).parent_path(),
                                          ignored);
      const UniqueFd made(
          ::open(options.file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
      if (!made.is_open()) {
        return Fail(ErrorCode::kIo,
                    fmt::format("cannot open the log {}: {}", options.file, std::strerror(errno)));
      }
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.file);
    }
    return std::unique_ptr<Log>(std::make_unique<SpdLog>(std::move(sink), options.level));
  } catch (const std::exception& error) {
    return Fail(ErrorCode::kIo, fmt::format("cannot open the log: {}", error.what()));
  }
}

}  // namespace p402
