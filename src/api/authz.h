#pragma once

#include <string_view>

#include "api/core.h"
#include "net/server.h"

namespace p402::api {

// True if `path` is /authz or below it.
bool IsAuthzPath(std::string_view path);

// V2, for nginx auth_request, Traefik, Caddy, HAProxy and Envoy: may the key that this request
// carries pass?
//
// The policy is the first path segment after /authz/, byte by byte: nothing is decoded or
// normalised. What follows a further '/' and the query are the client's own (Envoy and Caddy append
// them) and decide nothing. Any method; the body is not waited for. Inbound X-Auth-* are never
// read. Fails closed (V4).
// Lifetime: the answer points into `scratch`. Cost: a valid key costs no allocation once `scratch`
// has grown.
net::DirectAnswer AnswerAuthz(Core& core, const net::Request& request, std::string& scratch);

}  // namespace p402::api
