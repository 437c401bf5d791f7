#include "app/serve.h"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <thread>

#include "app/load_report.h"
#include "app/messages.h"
#include "app/process.h"
#include "base/random.h"

namespace p402::app {
namespace {

constexpr Millis kForever{3'600'000};

// A server process from the first key to the end.
class Run {
 public:
  Run(const ServeOptions& options, const Clock& clock, Signals& signals, Log& log)
      : options_(options), clock_(clock), signals_(signals), log_(log) {}

  int Start() {
    auto node = Node::Open(options_.node, clock_, random_, log_);
    if (!node) {
      return Complain(OpenFailure(node.error(), options_.node.data), CodeOf(node.error()));
    }
    node_ = std::move(*node);
    const auto listening = node_->Listen();
    // Also if nobody can be served all the same: it exists now, and is never shown again.
    if (!ShowFirstKey(listening.has_value())) {
      return Complain("the first key could not be written and is lost: delete " +
                          options_.node.data.string() + " and start again",
                      kFailed);
    }
    if (!listening) {
      Complain(listening.error());
      return kFailed;
    }
    LoadReport report(ReportOutputs(), clock_);
    node_->Load([this](Status status) {
      load_status_ = std::move(status);
      is_loaded_.store(true, std::memory_order_release);
      signals_.Wake();
    });
    return UntilSignal(report);
  }

 private:
  static int CodeOf(const Error& error) {
    return error.code == ErrorCode::kInvalidArgument ? kUsage : kFailed;
  }

  bool ShowFirstKey(bool is_listening) {
    const auto key = node_->TakeFirstKey();
    if (!key) return true;
    const bool is_bound_known = !options_.has_public_url && !options_.node.listen.front().is_unix;
    // Nobody is told to send the key to whoever else has taken the address.
    std::string url;
    if (is_listening) url = is_bound_known ? node_->urls().front() : options_.public_url;
    std::string text = FirstKeyText(*key, Spelled(options_.node.data), url);
    const bool is_written = WriteOut(text);
    WipeString(text);
    log_.Info("account.first_created", {{"account", key->account_id},
                                        {"key", key->key_id},
                                        {"folder", Spelled(options_.node.data)}});
    return is_written;
  }

  LoadReport::Outputs ReportOutputs() {
    LoadReport::Outputs outputs;
    const bool is_terminal = IsErrTerminal();
    if (is_terminal) {
      outputs.terminal = [](std::string_view line) { WriteErr(fmt::format("\r{}\033[K", line)); };
    }
    if (!is_terminal || !options_.log.file.empty()) outputs.log = &log_;
    outputs.systemd = [](std::string_view state) {
      NotifySystemd(std::getenv("NOTIFY_SOCKET"), state);
    };
    return outputs;
  }

  int UntilSignal(LoadReport& report) {
    for (;;) {
      const auto signal = signals_.Wait(is_ready_ ? kForever : LoadReport::kShowInterval);
      if (!is_ready_ && is_loaded_.load(std::memory_order_acquire)) {
        report.Finish();
        if (!load_status_) return LoadFailed();
        SayReady();
      } else if (!is_ready_) {
        report.Show(node_->progress());
      }
      if (signal == SIGHUP) Reload();
      if (signal == SIGTERM || signal == SIGINT) return Shut(*signal);
    }
  }

  void SayReady() {
    is_ready_ = true;
    const auto urls = node_->urls();
    WriteOut(fmt::format("ready {}\n", urls.front()));
    for (const auto& url : urls) log_.Info("server.listening", {{"address", url}});
    NotifySystemd(std::getenv("NOTIFY_SOCKET"), "READY=1");
  }

  int LoadFailed() {
    log_.Error("index.load_failed", {{"detail", load_status_.error().detail}});
    const int code = Complain(load_status_.error());
    node_->Stop(Millis(0));
    return code == kUsage ? kFailed : code;
  }

  void Reload() {
    const auto status = node_->ReloadTls();
    if (status) {
      log_.Info("server.reloaded");
    } else {
      log_.Error("server.reload_failed",
                 {{"detail", status.error().detail}, {"message", status.error().public_message}});
    }
  }

  // Stopping happens on another thread, so that a second signal is seen.
  int Shut(int signal) {
    log_.Info("server.stopping", {{"signal", signal}});
    NotifySystemd(std::getenv("NOTIFY_SOCKET"), "STOPPING=1");
    std::atomic<bool> is_stopped = false;
    size_t cut = 0;
    std::thread stopper([&] {
      cut = node_->Stop(options_.drain_time);
      is_stopped.store(true, std::memory_order_release);
      signals_.Wake();
    });
    while (!is_stopped.load(std::memory_order_acquire)) {
      const auto second = signals_.Wait(kForever);
      if (second == SIGTERM || second == SIGINT) ::_exit(kFailed);
    }
    stopper.join();
    log_.Info("server.stopped", {{"cut_connections", cut}});
    return kDone;
  }

  const ServeOptions& options_;
  const Clock& clock_;
  Signals& signals_;
  Log& log_;
  SystemRandom random_;
  Status load_status_ = {};  // written before is_loaded_
  std::atomic<bool> is_loaded_ = false;
  bool is_ready_ = false;
  std::unique_ptr<Node> node_ = {};
};

}  // namespace

std::string Spelled(const std::filesystem::path& folder) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(folder, error);
  return (error ? folder : absolute.lexically_normal()).string();
}

std::string OpenFailure(const Error& error, const std::filesystem::path& folder) {
  if (error.code == ErrorCode::kLocked) {
    return fmt::format("another p402 is using {}; use --server or P402_URL to talk to it",
                       folder.string());
  }
  return error.public_message.empty() ? error.detail : error.public_message;
}

int Serve(const ServeOptions& options, const Clock& clock) {
  auto signals = Signals::Start();
  if (!signals) return Complain(signals.error());
  auto log = OpenLog(options.log);
  if (!log) return Complain(log.error());
  const int code = Run(options, clock, *signals, **log).Start();
  (*log)->Flush();
  return code;
}

}  // namespace p402::app
