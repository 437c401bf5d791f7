#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/message.h"

namespace p402::api {

struct Call;
class Core;

enum class Access : uint8_t {
  kPublic,        // no credential
  kAnyKey,        // a valid key; `scope` if it is not empty
  kFirstAccount,  // a valid key of the first account (A12)
  kKeyItself,     // a valid key with `scope`, or the key {id} itself, even if it is revoked (A5)
};

enum class Body : uint8_t { kNone, kOptional, kRequired };

struct Route {
  std::string_view method;
  std::string_view pattern;  // at most one segment is {id}, a key id
  Access access;
  std::string_view scope;
  std::string_view query;  // the parameters it knows, separated by spaces
  Body body;
  std::string_view fields;  // the fields of the body it knows
  // `request` may only be used until it returns.
  void (*handle)(Call call, const net::Request& request);
  // If not null, asked first: answers at once, or nullopt and `handle` follows.
  std::optional<net::DirectAnswer> (*answer_directly)(Core& core, const Route& route,
                                                      const net::Request& request,
                                                      std::string& scratch) = nullptr;
};

// Every endpoint but /authz.
std::span<const Route> Routes();

struct Match {
  const Route* route = nullptr;
  std::string_view parameter = {};  // what stands for {id}
  std::string allow = {};           // without a route: the methods that the path takes; empty: none
};
// A literal path goes before a pattern; HEAD is answered as GET. Nothing is decoded or normalised.
// A path with something else where a key id belongs is no path of ours.
Match FindRoute(std::string_view method, std::string_view path);

}  // namespace p402::api
