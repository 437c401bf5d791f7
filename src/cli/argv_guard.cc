#include "cli/argv_guard.h"

#include <algorithm>
#include <array>

#include "base/base62.h"

namespace p402::cli {
namespace {

constexpr size_t kSuspiciousLength = 24;
constexpr std::array<std::string_view, 2> kModes = {"_live_", "_test_"};

bool IsBrandCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool IsRandomCharacter(char c) {
  return IsBase62(std::string_view(&c, 1));
}

bool HasKeyWithMode(std::string_view text, std::string_view mode) {
  for (size_t at = text.find(mode); at != text.npos; at = text.find(mode, at + 1)) {
    if (at == 0 || !IsBrandCharacter(text[at - 1])) continue;
    const std::string_view rest = text.substr(at + mode.size());
    const auto end = std::find_if_not(rest.begin(), rest.end(), IsRandomCharacter);
    if (static_cast<size_t>(end - rest.begin()) >= kSuspiciousLength) return true;
  }
  return false;
}

}  // namespace

bool LooksLikeRawKey(std::string_view argument) {
  return std::any_of(kModes.begin(), kModes.end(),
                     [&](std::string_view mode) { return HasKeyWithMode(argument, mode); });
}

bool AnyLooksLikeRawKey(std::span<const char* const> arguments) {
  return std::any_of(arguments.begin(), arguments.end(), LooksLikeRawKey);
}

}  // namespace p402::cli
