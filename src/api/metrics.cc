#include "base/metrics.h"

#include "api/core.h"
#include "api/handlers.h"
#include "api/routes.h"

namespace p402::api {

void ShowMetrics(Call call, const net::Request&) {
  net::Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = call.core.parts().metrics.Expose();
  SendRead(std::move(call), std::move(response));
}

}  // namespace p402::api
