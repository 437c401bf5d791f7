#include "app/load_report.h"

#include <fmt/format.h>

#include <utility>

#include "app/messages.h"

namespace p402::app {

LoadReport::LoadReport(Outputs outputs, const Clock& clock)
    : outputs_(std::move(outputs)), clock_(clock), last_logged_(clock.Boot()) {}

void LoadReport::Show(const feed::Progress& progress) {
  const std::string line = ProgressText(progress);
  if (outputs_.terminal) {
    outputs_.terminal(line);
    has_line_ = true;
  }
  if (clock_.Boot() - last_logged_ < kLogInterval) return;
  last_logged_ = clock_.Boot();
  if (outputs_.log != nullptr) {
    outputs_.log->Info("index.loading", {{"loaded", progress.loaded}, {"total", progress.total}});
  }
  // Each asks for three more intervals: a load that goes on is not killed for being long.
  if (outputs_.systemd) {
    const auto more = std::chrono::microseconds(3 * kLogInterval);
    outputs_.systemd(fmt::format("STATUS={}\nEXTEND_TIMEOUT_USEC={}", line, more.count()));
  }
}

void LoadReport::Finish() {
  if (std::exchange(has_line_, false)) outputs_.terminal("");
}

}  // namespace p402::app
