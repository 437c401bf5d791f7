#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/clock.h"
#include "base/result.h"

namespace p402 {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarning, kError };

// One field of a log line. There is no constructor for Secret.
struct LogField {
  std::string_view name;
  std::variant<std::string_view, int64_t, double, bool> value;

  LogField(std::string_view n, std::string_view v) : name(n), value(v) {}
  LogField(std::string_view n, const char* v) : name(n), value(std::string_view(v)) {}
  LogField(std::string_view n, const std::string& v) : name(n), value(std::string_view(v)) {}
  LogField(std::string_view n, bool v) : name(n), value(v) {}
  LogField(std::string_view n, double v) : name(n), value(v) {}
  template <class T>
    requires std::is_integral_v<T>
  LogField(std::string_view n, T v) : name(n), value(static_cast<int64_t>(v)) {}
};

// A structured log: one event name and its fields become one JSON object on one line.
// Threads: safe to call concurrently; a full queue drops lines and counts them, it never blocks.
class Log {
 public:
  virtual ~Log() = default;
  virtual void Write(LogLevel level, std::string_view event, std::span<const LogField> fields) = 0;
  // Waits until everything written so far has left the process, for 5 seconds at most.
  virtual void Flush() {}

  void Debug(std::string_view event, std::initializer_list<LogField> fields = {}) {
    Write(LogLevel::kDebug, event, {fields.begin(), fields.size()});
  }
  void Info(std::string_view event, std::initializer_list<LogField> fields = {}) {
    Write(LogLevel::kInfo, event, {fields.begin(), fields.size()});
  }
  void Warning(std::string_view event, std::initializer_list<LogField> fields = {}) {
    Write(LogLevel::kWarning, event, {fields.begin(), fields.size()});
  }
  void Error(std::string_view event, std::initializer_list<LogField> fields = {}) {
    Write(LogLevel::kError, event, {fields.begin(), fields.size()});
  }
};

// A log that drops everything: for tests and for libraries whose user did not ask for one.
class NullLog final : public Log {
 public:
  void Write(LogLevel, std::string_view, std::span<const LogField>) override {}
};

struct LogOptions {
  LogLevel level = LogLevel::kInfo;
  std::string file = {};  // empty: standard error
};
// An asynchronous log of JSON lines: {"time":…,"level":…,"event":…,fields…}; every string is
// JSON-escaped.
Result<std::unique_ptr<Log>> OpenLog(const LogOptions& options);

}  // namespace p402
