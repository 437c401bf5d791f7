#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <numeric>

#include "cli/cli.h"
#include "cli/display.h"

namespace p402::cli {
namespace {

constexpr size_t kTypos = 2;  // more is another word

// A command of the tree, and how it is called: "p402 keys".
struct Place {
  const CLI::App* app;
  std::string path;
};

// The command that met a word it does not know, or else the last one that was named.
Place FindPlace(const CLI::App& root) {
  Place place{.app = &root, .path = root.get_name()};
  while (place.app->remaining().empty()) {
    const auto chosen = place.app->get_subcommands();
    if (chosen.empty()) break;
    place = {.app = chosen.front(), .path = place.path + " " + chosen.front()->get_name()};
  }
  return place;
}

std::vector<std::string> CommandsOf(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* child : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!child->get_group().empty()) names.push_back(child->get_name());
  }
  return names;
}

std::vector<std::string> OptionsOf(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

// How many characters have to be put in, left out or replaced (Levenshtein).
size_t Distance(std::string_view from, std::string_view to) {
  std::vector<size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < from.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < to.size(); ++j) {
      const size_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

// The known word that `word` may have been meant for; empty: none is near.
std::string Nearest(std::string_view word, const std::vector<std::string>& known) {
  std::string nearest;
  size_t least = std::min(kTypos + 1, word.size());  // not a wholly different short word
  for (const auto& candidate : known) {
    const size_t distance = Distance(word, candidate);
    if (distance >= least) continue;
    least = distance;
    nearest = candidate;
  }
  return nearest;
}

std::string DescribeUnknown(const Place& place) {
  std::string word = place.app->remaining().front();
  const bool is_option = word.size() > 1 && word.starts_with('-');
  if (is_option) word.erase(std::min(word.find('='), word.size()));  // what follows is a value
  if (is_option) {
    const auto nearest = Nearest(word, OptionsOf(*place.app));
    const auto hint = nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest);
    return fmt::format("unknown option {}{}", Clean(word), hint);
  }
  const auto commands = CommandsOf(*place.app);
  if (commands.empty()) return fmt::format("unexpected argument \"{}\"", Clean(word));
  const auto nearest = Nearest(word, commands);
  const auto hint =
      nearest.empty() ? "" : fmt::format("; did you mean {} {}?", place.path, nearest);
  return fmt::format("unknown command \"{}\"{}", Clean(word), hint);
}

// "--limit must be …", not "--limit: must be …": as what the other floors say.
std::string DescribeValue(const CLI::ParseError& error) {
  std::string text = error.what();
  const size_t colon = text.find(": ");
  if (colon == text.npos) return text;
  const bool has_no_value = error.get_name() == "ArgumentMismatch" && text.ends_with(" missing");
  if (has_no_value) return text.substr(0, colon) + " needs a value";
  if (error.get_name() == "ValidationError") text.erase(colon, 1);
  return text;
}

std::string Describe(const Place& place, const CLI::ParseError& error) {
  if (!place.app->remaining().empty()) return DescribeUnknown(place);
  if (place.app->get_require_subcommand_min() > 0 && place.app->get_subcommands().empty()) {
    return fmt::format("{} needs a command: {}", place.path,
                       fmt::join(CommandsOf(*place.app), ", "));
  }
  return Clean(DescribeValue(error));
}

}  // namespace

std::string DescribeUsageError(const CLI::App& root, const CLI::ParseError& error) {
  const Place place = FindPlace(root);
  return fmt::format("p402: {}\nSee {} --help\n", Describe(place, error), place.path);
}

}  // namespace p402::cli
