#include "cli/manual.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/testing/fake_process.h"

namespace p402::cli {
namespace {

using ::testing::AllOf;
using testing::FakeProcess;
using ::testing::HasSubstr;
using ::testing::Not;

const char* const kCommands[] = {"keys create",   "keys list",   "keys get",     "keys update",
                                 "keys revoke",   "keys rotate", "keys verify",  "accounts create",
                                 "accounts list", "audit list",  "audit verify", "audit anchor",
                                 "audit prune",   "backup",      "completion",   "version"};

TEST(Help, C4_EveryCommandHasAnExample) {
  for (const char* command : kCommands) {
    FakeProcess process;
    EXPECT_EQ(process.Run(std::string(command) + " --help"), kDone);
    EXPECT_THAT(process.help,
                AllOf(HasSubstr(std::string("p402 ") + command), HasSubstr("Example:\n  ")));
  }
}

TEST(Manual, C4_HasEveryCommandAndEscapesRoff) {
  FakeProcess process;
  EXPECT_EQ(process.Run("manual"), kDone);
  for (const char* command : kCommands) {
    EXPECT_THAT(process.console.out, HasSubstr(std::string(".SS \\fBp402 ") + command + "\\fR"));
  }
  EXPECT_THAT(process.console.out, AllOf(HasSubstr("\\fB\\-\\-json\\fR"), HasSubstr("P402_API_KEY"),
                                         Not(HasSubstr("…")), Not(HasSubstr("p402 manual\\fR"))));
}

}  // namespace
}  // namespace p402::cli
