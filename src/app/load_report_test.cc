#include "app/load_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/testing/fakes.h"

namespace p402::app {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LoadReportTest : public ::testing::Test {
 protected:
  LoadReport Make(bool has_terminal) {
    LoadReport::Outputs outputs{.log = has_terminal ? nullptr : &log_,
                                .systemd = [this](auto state) { states_.emplace_back(state); }};
    if (has_terminal) outputs.terminal = [this](auto line) { lines_.emplace_back(line); };
    return LoadReport(std::move(outputs), clock_);
  }

  testing::FakeClock clock_;
  testing::MemoryLog log_;
  std::vector<std::string> lines_;
  std::vector<std::string> states_;
};

TEST_F(LoadReportTest, C1_ATerminalShowsOneLineThatMovesAndGoes) {
  LoadReport report = Make(/*has_terminal=*/true);
  report.Show({.loaded = 10, .total = 1000});
  report.Show({.loaded = 20, .total = 1000});
  report.Finish();
  report.Finish();
  EXPECT_THAT(lines_, ElementsAre("Loading keys: 10 of 1,000 (1 %)",
                                  "Loading keys: 20 of 1,000 (2 %)", ""));
}

TEST_F(LoadReportTest, C1_NoTerminalHasNoLineToTakeAway) {
  LoadReport report = Make(/*has_terminal=*/false);
  report.Show({.loaded = 10, .total = 1000});
  report.Finish();
  EXPECT_THAT(lines_, IsEmpty());
}

TEST_F(LoadReportTest, C1_AShortLoadIsNotLoggedAndALongOneEveryFewSeconds) {
  LoadReport report = Make(/*has_terminal=*/false);
  for (int i = 1; i <= 52; ++i) {
    clock_.Advance(LoadReport::kShowInterval);
    report.Show({.loaded = i, .total = 100});
    ASSERT_EQ(log_.Lines().empty(), i < 25) << i;
  }
  EXPECT_THAT(log_.Lines(), ElementsAre("index.loading loaded=25 total=100",
                                        "index.loading loaded=50 total=100"));
  EXPECT_THAT(states_,
              ElementsAre("STATUS=Loading keys: 25 of 100 (25 %)\nEXTEND_TIMEOUT_USEC=15000000",
                          "STATUS=Loading keys: 50 of 100 (50 %)\nEXTEND_TIMEOUT_USEC=15000000"));
}

}  // namespace
}  // namespace p402::app
