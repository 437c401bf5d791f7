#include "api/core.h"
#include "api/handlers.h"
#include "api/routes.h"

namespace p402::api {

void CreateAccount(Call call, const net::Request&) {
  const auto name = call.body.RequiredText("name");
  if (!name) return SendError(std::move(call), name.error());
  auto& accounts = call.core.parts().accounts;
  const service::Caller caller = call.caller;
  std::string account_name(*name);
  accounts.Create(caller, std::move(account_name),
                  Completion<service::CreatedAccount>(
                      std::move(call), [](Call done, const service::CreatedAccount& created) {
                        const WallTime now = done.core.parts().clock.Now();
                        net::Response response =
                            JsonResponse(201, CreatedAccountJson(created, now));
                        response.is_secret = true;
                        Send(std::move(done), std::move(response));
                      }));
}

void ListAccounts(Call call, const net::Request&) {
  auto& accounts = call.core.parts().accounts;
  const service::Caller caller = call.caller;
  accounts.List(caller, Completion<std::vector<store::Account>>(
                            std::move(call), [](Call done, const std::vector<store::Account>& all) {
                              SendRead(std::move(done), JsonResponse(200, AccountListJson(all)));
                            }));
}

}  // namespace p402::api
