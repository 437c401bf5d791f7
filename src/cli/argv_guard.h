#pragma once

#include <span>
#include <string_view>

namespace p402::cli {

// True if `argument` contains what looks like a raw key of any brand: "_live_" or "_test_" after a
// brand, and at least 24 base62 characters behind it (so that a key cut short is found too).
bool LooksLikeRawKey(std::string_view argument);

// C3: arguments are readable by every user of the machine and end up in histories.
bool AnyLooksLikeRawKey(std::span<const char* const> arguments);

// What to do instead. It never contains the argument.
inline constexpr std::string_view kRawKeyAdvice =
    "p402: an argument looks like a raw key, so nothing was done.\n"
    "Other users of this machine can read arguments, and your shell may keep them in its history.\n"
    "Give a raw key on standard input (p402 keys verify < FILE) or in the environment\n"
    "(P402_API_KEY). If it was a real key, rotate it: p402 keys rotate ID\n";

}  // namespace p402::cli
