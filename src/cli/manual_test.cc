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

std::string HelpOf(const std::string& command) {
  FakeProcess process;
  EXPECT_EQ(process.Run(command + " --help"), kDone);
  return process.help;
}

TEST(Help, C4_EveryCommandHasAnExample) {
  std::vector<std::string> commands(std::begin(kCommands), std::end(kCommands));
  commands.insert(commands.end(), {"keys", "accounts", "audit"});
  for (const auto& command : commands) {
    EXPECT_THAT(HelpOf(command), HasSubstr("Example:\n  "));
    EXPECT_THAT(HelpOf(command), HasSubstr("p402 " + command));
  }
}

TEST(Help, C3_WhoeverTalksToAServerNamesTheEnvironment) {
  for (const std::string command : kCommands) {
    const bool is_local = command == "completion" || command == "version";
    const auto help = HelpOf(command);
    for (const char* name : {"P402_URL", "P402_API_KEY", "P402_CA_FILE"}) {
      EXPECT_EQ(help.find(name) == help.npos, is_local) << command << ' ' << name;
    }
  }
}

TEST(Help, C3_TheExampleInTheManualIsWithoutTheEnvironment) {
  FakeProcess process;
  EXPECT_EQ(process.Run("manual"), kDone);
  EXPECT_THAT(process.console.out, HasSubstr("p402 audit anchor >> anchors.txt\n.RE"));
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
