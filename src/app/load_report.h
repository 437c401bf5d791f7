#pragma once

#include <functional>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"
#include "feed/feed.h"

namespace p402::app {

// Tells a person, the log and systemd how far loading is: on a terminal as one line that is written
// over and over, in the log and to systemd as a line every few seconds.
// Threads: one.
// Lifetime: what it is given outlives it.
class LoadReport {
 public:
  struct Outputs {
    // Shows a line on a terminal, in place of the one before; empty: it goes. Null: no terminal.
    std::function<void(std::string_view line)> terminal = {};
    // A log that is shown on that same terminal would break its line: null then.
    Log* log = nullptr;
    std::function<void(std::string_view state)> systemd = {};
  };

  // Nothing is logged for a load that takes less than this.
  static constexpr Millis kLogInterval{5000};
  // How often Show is worth calling.
  static constexpr Millis kShowInterval{200};

  LoadReport(Outputs outputs, const Clock& clock);

  void Show(const feed::Progress& progress);
  // Takes the terminal's line away.
  void Finish();

 private:
  Outputs outputs_;
  const Clock& clock_;
  BootTime last_logged_;
  bool has_line_ = false;
};

}  // namespace p402::app
