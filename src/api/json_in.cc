#include "api/json_in.h"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <new>

#include "base/limits.h"
#include "base/text.h"

namespace p402::api {

template <class T>
T* WipingAllocator<T>::allocate(size_t count) {
  return static_cast<T*>(::operator new(count * sizeof(T)));
}

template <class T>
void WipingAllocator<T>::deallocate(T* memory, size_t count) {
  OPENSSL_cleanse(static_cast<void*>(memory), count * sizeof(T));
  ::operator delete(static_cast<void*>(memory));
}

template struct WipingAllocator<char>;
template struct WipingAllocator<Json>;
template struct WipingAllocator<Json::Member>;

namespace {

using boost::json::error_code;
using boost::json::string_view;

// Builds the value out of the parser's events. `open_` holds the arrays and objects around the
// current place, and `keys_` the name that each of the objects waits to give a value to.
class Builder {
 public:
  constexpr static size_t max_object_size = size_t(-1);
  constexpr static size_t max_array_size = size_t(-1);
  constexpr static size_t max_key_size = size_t(-1);
  constexpr static size_t max_string_size = size_t(-1);

  Json TakeRoot() { return std::move(root_); }
  const std::optional<WipedText>& duplicate() const { return duplicate_; }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_array_begin(error_code&) { return Open(Json::Kind::kArray); }
  bool on_array_end(size_t, error_code&) { return Close(); }
  bool on_object_begin(error_code&) { return Open(Json::Kind::kObject); }
  bool on_object_end(size_t, error_code& error) {
    if (FindDuplicate(open_.back())) {
      error = boost::json::error::extra_data;
      return false;
    }
    return Close();
  }
  bool on_string_part(string_view part, size_t, error_code&) { return Collect(part); }
  bool on_string(string_view part, size_t, error_code&) {
    Collect(part);
    return Add(Json{.kind = Json::Kind::kText, .text = std::exchange(text_, {})});
  }
  bool on_key_part(string_view part, size_t, error_code&) { return Collect(part); }
  bool on_key(string_view part, size_t, error_code&) {
    Collect(part);
    keys_.push_back(std::exchange(text_, {}));
    return true;
  }
  bool on_number_part(string_view part, error_code&) { return Collect(part); }
  bool on_int64(int64_t, string_view part, error_code&) { return AddNumber(part); }
  bool on_uint64(uint64_t, string_view part, error_code&) { return AddNumber(part); }
  bool on_double(double, string_view part, error_code&) { return AddNumber(part); }
  bool on_bool(bool value, error_code&) {
    return Add(Json{.kind = value ? Json::Kind::kTrue : Json::Kind::kFalse});
  }
  bool on_null(error_code&) { return Add(Json{}); }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }

 private:
  bool Collect(string_view part) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool AddNumber(string_view part) {
    Collect(part);
    return Add(Json{.kind = Json::Kind::kNumber, .text = std::exchange(text_, {})});
  }
  bool Open(Json::Kind kind) {
    open_.push_back(Json{.kind = kind});
    return true;
  }
  bool Close() {
    Json closed = std::move(open_.back());
    open_.pop_back();
    return Add(std::move(closed));
  }
  bool Add(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (open_.back().kind == Json::Kind::kArray) {
      open_.back().items.push_back(std::move(value));
    } else {
      open_.back().members.emplace_back(std::move(keys_.back()), std::move(value));
      keys_.pop_back();
    }
    return true;
  }
  // By sorting, so that an object of ten thousand fields costs no more than its size.
  bool FindDuplicate(const Json& object) {
    std::vector<std::string_view> names;
    names.reserve(object.members.size());
    for (const auto& [name, value] : object.members) names.emplace_back(name);
    std::ranges::sort(names);
    const auto twice = std::ranges::adjacent_find(names);
    if (twice == names.end()) return false;
    duplicate_.emplace(*twice);
    return true;
  }

  Json root_;
  WipedText text_;
  std::vector<Json, WipingAllocator<Json>> open_;
  std::vector<WipedText> keys_;
  std::optional<WipedText> duplicate_;
};

Failure WrongType(std::string_view name, std::string_view expected) {
  return InvalidArgument(std::string(name), fmt::format("\"{}\" must be {}.", name, expected));
}

void AppendMember(std::string& out, const Json::Member& member,
                  void (*append)(std::string&, const Json&)) {
  AppendJsonString(out, member.first);
  out += ':';
  append(out, member.second);
}

// Everything but objects, which differ in the order of their members.
void AppendPlain(std::string& out, const Json& value, void (*append)(std::string&, const Json&)) {
  switch (value.kind) {
    case Json::Kind::kNull:
      out += "null";
      return;
    case Json::Kind::kFalse:
      out += "false";
      return;
    case Json::Kind::kTrue:
      out += "true";
      return;
    case Json::Kind::kNumber:
      out += value.text;
      return;
    case Json::Kind::kText:
      AppendJsonString(out, value.text);
      return;
    case Json::Kind::kArray:
      out += '[';
      for (const Json& item : value.items) {
        if (&item != &value.items.front()) out += ',';
        append(out, item);
      }
      out += ']';
      return;
    case Json::Kind::kObject:
      return;
  }
}

Result<Json> ParseValue(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = limits::kJsonDepth;
  boost::json::basic_parser<Builder> parser(options);
  error_code error;
  const size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (const auto& twice = parser.handler().duplicate()) {
    const std::string name = ShowableName(*twice);
    return InvalidArgument(name, fmt::format("The body has the field \"{}\" twice.", name));
  }
  if (error == boost::json::error::too_deep) {
    return InvalidArgument(
        {}, fmt::format("The body is nested deeper than {} levels.", limits::kJsonDepth));
  }
  if (error || used != text.size()) {
    return InvalidArgument({}, "The body is not JSON in UTF-8 (RFC 8259).");
  }
  return parser.handler().TakeRoot();
}

}  // namespace

void AppendCompact(std::string& out, const Json& value) {
  if (value.kind != Json::Kind::kObject) return AppendPlain(out, value, AppendCompact);
  out += '{';
  for (const auto& member : value.members) {
    if (&member != &value.members.front()) out += ',';
    AppendMember(out, member, AppendCompact);
  }
  out += '}';
}

void AppendCanonical(std::string& out, const Json& value) {
  if (value.kind != Json::Kind::kObject) return AppendPlain(out, value, AppendCanonical);
  std::vector<const Json::Member*> sorted;
  sorted.reserve(value.members.size());
  for (const auto& member : value.members) sorted.push_back(&member);
  std::ranges::sort(sorted, {},
                    [](const Json::Member* member) -> const WipedText& { return member->first; });
  out += '{';
  for (const Json::Member* member : sorted) {
    if (member != sorted.front()) out += ',';
    AppendMember(out, *member, AppendCanonical);
  }
  out += '}';
}

std::string ShowableName(std::string_view name) {
  constexpr size_t kLongest =
      20;  // of a raw key it would be the brand, the mode and a few characters
  const bool is_word = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
  if (is_word && !name.empty() && name.size() <= kLongest) return std::string(name);
  return "(not shown)";
}

bool IsOneOf(std::string_view name, std::string_view names) {
  while (!names.empty()) {
    const size_t end = std::min(names.find(' '), names.size());
    if (names.substr(0, end) == name) return true;
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return false;
}

Result<JsonBody> JsonBody::Parse(std::string_view text) {
  P402_TRY(Json root, ParseValue(text));
  if (root.kind != Json::Kind::kObject) {
    return InvalidArgument({}, "The body must be a JSON object.");
  }
  JsonBody body;
  body.root_ = std::move(root);
  return body;
}

Status JsonBody::AllowOnly(std::string_view names) const {
  for (const auto& [name, value] : root_.members) {
    if (IsOneOf(name, names)) continue;
    const std::string shown = ShowableName(name);
    return InvalidArgument(shown, fmt::format("The field \"{}\" is unknown here.", shown));
  }
  return {};
}

const Json* JsonBody::Find(std::string_view name) const {
  for (const auto& [known, value] : root_.members) {
    if (known == name) return &value;
  }
  return nullptr;
}

bool JsonBody::IsNull(std::string_view name) const {
  const Json* value = Find(name);
  return value != nullptr && value->kind == Json::Kind::kNull;
}

Result<std::optional<std::string_view>> JsonBody::Text(std::string_view name) const {
  const Json* value = Find(name);
  if (value == nullptr) return std::nullopt;
  if (value->kind != Json::Kind::kText) return WrongType(name, "a string");
  return std::string_view(value->text);
}

Result<std::string_view> JsonBody::RequiredText(std::string_view name) const {
  P402_TRY(const auto text, Text(name));
  if (!text) return InvalidArgument(std::string(name), fmt::format("\"{}\" is required.", name));
  return *text;
}

Result<std::optional<bool>> JsonBody::Bool(std::string_view name) const {
  const Json* value = Find(name);
  if (value == nullptr) return std::nullopt;
  if (value->kind == Json::Kind::kTrue) return true;
  if (value->kind == Json::Kind::kFalse) return false;
  return WrongType(name, "true or false");
}

Result<std::optional<std::vector<std::string>>> JsonBody::Texts(std::string_view name) const {
  const Json* value = Find(name);
  if (value == nullptr) return std::nullopt;
  if (value->kind != Json::Kind::kArray) return WrongType(name, "an array of strings");
  std::vector<std::string> texts;
  texts.reserve(value->items.size());
  for (const Json& item : value->items) {
    if (item.kind != Json::Kind::kText) return WrongType(name, "an array of strings");
    texts.emplace_back(item.text);
  }
  return texts;
}

Result<std::optional<WallTime>> JsonBody::Time(std::string_view name) const {
  if (IsNull(name)) return std::nullopt;
  P402_TRY(const auto text, Text(name));
  if (!text) return std::nullopt;
  const auto time = ParseRfc3339(*text);
  if (!time) return WrongType(name, "an RFC 3339 time such as 2026-04-15T12:00:00Z");
  return *time;
}

Result<std::optional<Millis>> JsonBody::Duration(std::string_view name) const {
  P402_TRY(const auto text, Text(name));
  if (!text) return std::nullopt;
  const auto duration = ParseDuration(*text);
  if (!duration) {
    return WrongType(name, "a whole number with s, m, h, d or w such as 24h, at most 100 years");
  }
  return *duration;
}

Result<std::optional<std::string>> JsonBody::Object(std::string_view name) const {
  const Json* value = Find(name);
  if (value == nullptr || value->kind == Json::Kind::kNull) return std::nullopt;
  if (value->kind != Json::Kind::kObject) return WrongType(name, "an object");
  std::string text;
  AppendCompact(text, *value);
  return text;
}

std::string JsonBody::Canonical() const {
  std::string text;
  AppendCanonical(text, root_);
  return text;
}

}  // namespace p402::api
