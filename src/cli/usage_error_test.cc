#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/testing/fake_process.h"

namespace p402::cli {
namespace {

using testing::FakeProcess;

std::string Refusal(const std::string& words) {
  FakeProcess process;
  EXPECT_EQ(process.Run(words), kUsage);
  EXPECT_TRUE(process.sent.empty());
  return process.console.err;
}

TEST(UsageError, C3_NamesTheCommandAndTheOneThatIsNear) {
  EXPECT_EQ(Refusal("kyes list"),
            "p402: unknown command \"kyes\"; did you mean p402 keys?\nSee p402 --help\n");
  EXPECT_EQ(Refusal("keys lits --json"),
            "p402: unknown command \"lits\"; did you mean p402 keys list?\nSee p402 keys --help\n");
  EXPECT_EQ(Refusal("frobnicate"), "p402: unknown command \"frobnicate\"\nSee p402 --help\n");
  EXPECT_EQ(Refusal("x"), "p402: unknown command \"x\"\nSee p402 --help\n");
  EXPECT_EQ(Refusal("manul"), "p402: unknown command \"manul\"\nSee p402 --help\n")
      << "what is hidden is not suggested";
}

TEST(UsageError, C3_NamesTheOptionAndTheOneThatIsNear) {
  EXPECT_EQ(Refusal("keys create x --scop a"),
            "p402: unknown option --scop; did you mean --scope?\nSee p402 keys create --help\n");
  EXPECT_EQ(Refusal("keys list --nonsense=secret"),
            "p402: unknown option --nonsense\nSee p402 keys list --help\n")
      << "never what follows the equals sign";
  EXPECT_EQ(Refusal("keys create --nonsense"),
            "p402: unknown option --nonsense\nSee p402 keys create --help\n")
      << "although NAME is missing too";
  EXPECT_EQ(Refusal("--nonsense keys list"), "p402: unknown option --nonsense\nSee p402 --help\n");
}

TEST(UsageError, C3_NamesAnArgumentTooMany) {
  EXPECT_EQ(Refusal("keys create x y"),
            "p402: unexpected argument \"y\"\nSee p402 keys create --help\n");
}

TEST(UsageError, C3_SaysWhatIsMissing) {
  EXPECT_EQ(Refusal("accounts"),
            "p402: p402 accounts needs a command: create, list\nSee p402 accounts --help\n");
  EXPECT_EQ(Refusal("keys create"), "p402: NAME is required\nSee p402 keys create --help\n");
  EXPECT_EQ(Refusal("keys list --limit"),
            "p402: --limit needs a value\nSee p402 keys list --help\n");
}

TEST(UsageError, C3_NamesTheOptionAndItsLimit) {
  for (const char* limit : {"0", "1001", "70000", "99999999999", "x", "1x", "-1"}) {
    EXPECT_EQ(Refusal(std::string("keys list --limit=") + limit),
              "p402: --limit must be a number from 1 to 1000\nSee p402 keys list --help\n")
        << limit;
  }
  EXPECT_EQ(Refusal("keys create x --mode lve"),
            "p402: --mode must be live or test\nSee p402 keys create --help\n");
  EXPECT_EQ(Refusal("keys list --status gone"),
            "p402: --status must be active, disabled, expired or revoked\n"
            "See p402 keys list --help\n");
  EXPECT_EQ(Refusal("completion tcsh"),
            "p402: SHELL must be bash, zsh or fish\nSee p402 completion --help\n");
}

TEST(UsageError, C4_HelpIsAWordToo) {
  FakeProcess process;
  EXPECT_EQ(process.Run("help"), kDone);
  const std::string overview = process.help;
  EXPECT_EQ(process.Run("--help"), kDone);
  EXPECT_EQ(process.help, overview);
  EXPECT_EQ(process.Run("help keys create"), kDone);
  const std::string create = process.help;
  EXPECT_EQ(process.Run("keys create --help"), kDone);
  EXPECT_EQ(process.help, create);
  EXPECT_THAT(create, ::testing::HasSubstr("p402 keys create"));
}

TEST(UsageError, C3_DoesNotSteerTheTerminal) {
  FakeProcess process;
  EXPECT_EQ(process.Run(std::vector<std::string>{"keys", "\033[2Jx"}), kUsage);
  EXPECT_EQ(process.console.err.find('\033'), std::string::npos);
}

}  // namespace
}  // namespace p402::cli
