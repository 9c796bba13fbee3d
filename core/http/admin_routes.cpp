#include "http/admin_routes.h"

namespace vmcp::http {
namespace {

void answer(const HttpExchangePtr& exchange, admin::Answer made) {
  Response response;
  response.status = made.status;
  response.content_type = "application/json";
  response.body = std::move(made.body);
  response.headers = std::move(made.headers);
  response.headers.emplace_back("Cache-Control", "no-store");
  exchange->respond(std::move(response));
}

void refuse(const HttpExchangePtr& exchange, int status, const std::string& why) {
  answer(exchange, {status, dump_json(Json{{"error", why}})});
}

// However the work ends, the worker goes back to its sockets.
struct Blocking {
  Exchange& exchange;
  ~Blocking() { exchange.leave_blocking(); }
};

}  // namespace

void AdminRoutes::handle(const HttpExchangePtr& exchange) const {
  const Request& request = exchange->request();
  if (auto r = guard_.check(request.header("origin"), request.header("host")); !r)
    return refuse(exchange, 403, r.error().text);
  if (request.path == "/healthz") return answer(exchange, {200, health_.alive_json()});
  if (request.path == "/readyz") {
    int status = 503;
    std::string body = health_.ready_json(status);
    return answer(exchange, {status, std::move(body)});
  }
  // Loading plugins takes its time.
  if (!exchange->enter_blocking()) return refuse(exchange, 503, "The server is busy; repeat in a moment.");
  const Blocking blocking{*exchange};
  answer(exchange, api_.handle({request.method, request.path, request.header("authorization"),
                                request.count("authorization"), request.peer, request.body}));
}

}  // namespace vmcp::http
