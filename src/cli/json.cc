#include "cli/json.h"

#include <openssl/crypto.h>

#include <boost/json.hpp>

#include "base/limits.h"
#include "base/secret.h"

namespace p402::cli {
namespace {

// Memory that is wiped before it is given back, so that no part of a parsed raw key stays behind.
class WipingResource final : public boost::json::memory_resource {
  void* do_allocate(std::size_t bytes, std::size_t) override { return ::operator new(bytes); }
  void do_deallocate(void* place, std::size_t bytes, std::size_t) override {
    OPENSSL_cleanse(place, bytes);
    ::operator delete(place, bytes);
  }
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
};

boost::json::parse_options ParseOptions() {
  boost::json::parse_options options;
  options.max_depth = limits::kJsonDepth + 8;  // a list wraps what a key may hold
  return options;
}

const boost::json::value* Find(const boost::json::object& object, std::string_view name) {
  return object.if_contains(boost::json::string_view(name.data(), name.size()));
}

}  // namespace

struct Document::Impl {
  ~Impl() { WipeString(text); }
  std::string text;
  WipingResource memory;
  boost::json::value value;
};

Document::Document(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Document::Document(Document&& other) noexcept = default;
Document::~Document() = default;

std::optional<Document> Document::Parse(std::string&& text) {
  auto impl = std::make_unique<Impl>();
  impl->text = std::move(text);
  boost::json::parser parser(&impl->memory, ParseOptions());
  parser.reset(&impl->memory);
  boost::json::error_code error;
  parser.write(impl->text.data(), impl->text.size(), error);
  if (error) return std::nullopt;
  // The value is made in its place: an assignment between two memory resources would copy.
  std::destroy_at(&impl->value);
  std::construct_at(&impl->value, parser.release());
  if (!impl->value.is_object()) return std::nullopt;
  return Document(std::move(impl));
}

const boost::json::object& Document::root() const {
  return impl_->value.get_object();
}
std::string_view Document::text() const {
  return impl_->text;
}

std::string_view TextAt(const boost::json::object& object, std::string_view name) {
  const auto* value = Find(object, name);
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

bool BoolAt(const boost::json::object& object, std::string_view name) {
  const auto* value = Find(object, name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::optional<int64_t> IntAt(const boost::json::object& object, std::string_view name) {
  const auto* value = Find(object, name);
  if (value == nullptr || !value->is_int64()) return std::nullopt;
  return value->get_int64();
}

const boost::json::object* ObjectAt(const boost::json::object& object, std::string_view name) {
  const auto* value = Find(object, name);
  return value == nullptr ? nullptr : value->if_object();
}

std::vector<const boost::json::object*> ObjectsAt(const boost::json::object& object,
                                                  std::string_view name) {
  std::vector<const boost::json::object*> objects;
  const auto* value = Find(object, name);
  if (value == nullptr || !value->is_array()) return objects;
  for (const auto& element : value->get_array()) {
    if (element.is_object()) objects.push_back(&element.get_object());
  }
  return objects;
}

std::vector<std::string> TextsAt(const boost::json::object& object, std::string_view name) {
  std::vector<std::string> texts;
  const auto* value = Find(object, name);
  if (value == nullptr || !value->is_array()) return texts;
  for (const auto& element : value->get_array()) {
    if (element.is_string()) texts.emplace_back(element.get_string());
  }
  return texts;
}

std::string JsonAt(const boost::json::object& object, std::string_view name) {
  const auto* value = Find(object, name);
  return value == nullptr || value->is_null() ? std::string() : boost::json::serialize(*value);
}

}  // namespace p402::cli
