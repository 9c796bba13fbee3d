#include "contract/exchange_check.h"

#include <algorithm>

namespace vmcp::contract {
namespace {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> out;
  while (true) {
    auto end = text.find(separator);
    out.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

std::string decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto hex = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
    if (text[i] == '%' && i + 2 < text.size() && std::isxdigit(static_cast<unsigned char>(text[i + 1])) &&
        std::isxdigit(static_cast<unsigned char>(text[i + 2]))) {
      out += static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> parse_query(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> out;
  if (text.empty()) return out;
  for (const auto& part : split(text, '&')) {
    auto equals = part.find('=');
    out.emplace_back(decode(part.substr(0, equals)),
                     equals == part.npos ? "" : decode(part.substr(equals + 1)));
  }
  return out;
}

bool chooses(const std::string& key) {
  return key == "action" || key == "~action" || key == "vmw-task";
}

}  // namespace

Result<Exchange> parse_exchange(std::string_view line) {
  auto parsed = parse_trusted_json(line, 256u << 20);
  if (!parsed) return parsed.error();
  Json& json = *parsed;
  if (!json.is_object()) return make_error(Code::malformed, "a record line must be a JSON object");
  for (const char* key : {"method", "path", "dialect"}) {
    if (!json.contains(key) || !json[key].is_string())
      return make_error(Code::malformed, std::string("a record line needs the string \"") + key + "\"");
  }
  if (!json.contains("status") || !json["status"].is_number_integer())
    return make_error(Code::malformed, "a record line needs the integer \"status\"");
  for (const char* key : {"request_body", "reply_body"}) {
    if (!json.contains(key))
      return make_error(Code::malformed, std::string("a record line needs \"") + key + "\"");
  }
  Exchange out;
  out.method = json["method"];
  out.path = json["path"];
  out.dialect = json["dialect"];
  out.request_body = std::move(json["request_body"]);
  out.reply_body = std::move(json["reply_body"]);
  out.status = json["status"].get<int>();
  out.injected = json.contains("injected") && json["injected"] == true;
  for (const char* known : {"api", "rest", "vim", "other"}) {
    if (out.dialect == known) return out;
  }
  return make_error(Code::malformed, "unknown dialect \"" + out.dialect + "\"");
}

Result<ExchangeCheck> ExchangeCheck::make(Json facts, Exceptions exceptions) {
  if (!facts.is_object() || !facts.contains("automation") || !facts.contains("vim"))
    return make_error(Code::malformed, "the facts need the members \"automation\" and \"vim\"");
  ExchangeCheck out;
  out.facts_ = std::make_shared<const Json>(std::move(facts));
  out.exceptions_ = std::make_shared<const Exceptions>(std::move(exceptions));
  out.schemas_ = std::make_shared<const SchemaCheck>(out.facts_->at("automation").at("schemas"));
  out.vim_ = std::make_shared<const VimCheck>(out.facts_->at("vim"));
  out.index();
  return out;
}

void ExchangeCheck::index() {
  for (const Json& facts : facts_->at("automation").at("operations")) {
    const auto& id = facts.at("id").get_ref<const std::string&>();
    auto space = id.find(' ');
    auto mark = id.find('?');
    Operation operation{id.substr(0, space),
                        split(id.substr(space + 1, mark == id.npos ? mark : mark - space - 1), '/'),
                        {},
                        &facts};
    if (mark != id.npos) {
      for (auto& [key, value] : parse_query(id.substr(mark + 1))) operation.chooser[key] = value;
    }
    operations_.push_back(std::move(operation));
  }
}

std::vector<Deviation> ExchangeCheck::check(const Exchange& exchange) const {
  Report report{*exceptions_,
                exchange.method + " " + exchange.path.substr(0, exchange.path.find('?')),
                exchange.status,
                {},
                {}};
  if (exchange.dialect == "other")
    report.add("path", "request", "", exchange.path, exchange.path + " belongs to no API");
  else if (exchange.dialect == "vim")
    check_vim(exchange, report);
  else
    check_automation(exchange, report);
  return std::move(report.found);
}

const ExchangeCheck::Operation* ExchangeCheck::find(const std::string& method,
                                                    const std::vector<std::string>& segments,
                                                    const Query& query, std::string& why) const {
  const Operation* best = nullptr;
  bool path_known = false, verb_known = false;
  std::size_t best_literals = 0;
  for (const Operation& operation : operations_) {
    if (operation.segments.size() != segments.size()) continue;
    std::size_t literals = 0;
    bool same = true;
    for (std::size_t i = 0; i < segments.size() && same; ++i) {
      // "{vm}", or "id:{tag_id}" of the cis services in /rest
      const std::string& official = operation.segments[i];
      if (const auto parameter = official.find('{'); parameter != std::string::npos)
        same = segments[i].size() > parameter && segments[i].starts_with(official.substr(0, parameter));
      else if (operation.segments[i] == segments[i])
        ++literals;
      else
        same = false;
    }
    if (!same) continue;
    verb_known = verb_known || operation.method == method;
    path_known = true;
    if (operation.method != method) continue;
    std::map<std::string, std::string> chosen;
    for (const auto& [key, value] : query) {
      if (chooses(key)) chosen[key] = value;
    }
    if (chosen != operation.chooser) continue;
    if (!best || literals > best_literals) {
      best = &operation;
      best_literals = literals;
    }
  }
  why = path_known && !verb_known ? "method" : "path";
  return best;
}

void ExchangeCheck::check_automation(const Exchange& exchange, Report& report) const {
  auto mark = exchange.path.find('?');
  auto path = exchange.path.substr(0, mark);
  auto query =
      parse_query(mark == exchange.path.npos ? "" : std::string_view(exchange.path).substr(mark + 1));
  if (!path.starts_with("/" + exchange.dialect + "/"))
    return report.add("path", "request", "", exchange.dialect,
                      path + " is not of the dialect " + exchange.dialect);
  std::string why;
  const Operation* operation = find(exchange.method, split(path, '/'), query, why);
  if (!operation)
    return report.add(why, "request", "", exchange.path,
                      "no official operation is " + exchange.method + " " + exchange.path);
  report.operation = operation->facts->at("id").get<std::string>();
  check_query(*operation, query, report);
  check_request_body(*operation, exchange.request_body, report);
  check_reply(*operation, exchange, report);
}

void ExchangeCheck::check_query(const Operation& operation, const Query& query, Report& report) const {
  const Json& facts = *operation.facts;
  auto declared = facts.find("query");
  for (const auto& [key, value] : query) {
    if (chooses(key)) continue;
    if (declared == facts.end() || !declared->contains(key))
      report.add("query", "request/?" + key, "", key, "the operation has no query parameter \"" + key + "\"");
    else
      schemas_->check_text((*declared)[key], value, "request/?" + key, report);
  }
  if (!facts.contains("query_required")) return;
  for (const Json& key : facts["query_required"]) {
    bool given = std::any_of(query.begin(), query.end(),
                             [&](const auto& p) { return p.first == key.get<std::string>(); });
    if (!given) report.add("query", "request", "", key, "the query parameter " + key.dump() + " is missing");
  }
}

void ExchangeCheck::check_request_body(const Operation& operation, const Json& body, Report& report) const {
  const Json& facts = *operation.facts;
  if (!facts.contains("body")) {
    if (!body.is_null()) report.add("body", "request", "", "", "the operation takes no request body");
    return;
  }
  if (!body.is_null()) return schemas_->check(facts["body"], body, "request", report);
  if (facts["body_required"]) report.add("body", "request", "", "", "the request body is missing");
}

void ExchangeCheck::check_reply(const Operation& operation, const Exchange& exchange, Report& report) const {
  if (exchange.injected) return;
  const Json& replies = operation.facts->at("replies");
  auto declared = replies.find(std::to_string(exchange.status));
  bool failed = exchange.status >= 400;
  if (declared == replies.end()) {
    report.add("status", "reply", "", std::to_string(exchange.status),
               "the status " + std::to_string(exchange.status) + " is not documented for this operation");
    if (!failed) return;
  } else if (declared->is_null()) {
    if (!exchange.reply_body.is_null()) report.add("body", "reply", "", "", "the reply must have no body");
    return;
  }
  if (exchange.reply_body.is_null()) return report.add("body", "reply", "", "", "the reply has no body");
  if (failed)
    check_error(exchange, exchange.reply_body, report);
  else
    schemas_->check(*declared, exchange.reply_body, "reply", report);
}

// The documents name one error type per status and operation, a vCenter has several: the shape is that of all
// errors, and the type must belong to the status.
void ExchangeCheck::check_error(const Exchange& exchange, const Json& reply, Report& report) const {
  const Json* error = &reply;
  std::string at = "reply";
  if (exchange.dialect == "rest") {
    if (!reply.is_object() || !reply.contains("type") || !reply["type"].is_string() ||
        !reply.contains("value"))
      return report.add("error-shape", at, "", brief(reply), "a /rest error is {\"type\":…,\"value\":…}");
    error = &reply["value"];
    at += "/value";
  }
  if (!error->is_object())
    return report.add("error-shape", at, "", brief(*error), at + " must be an error object");
  const char* shape =
      exchange.dialect == "rest" ? "#vapi.std.errors.unauthenticated" : "#VapiStdErrorsUnauthenticated";
  Json without = *error;
  bool challenge = without.erase("challenge") > 0;
  schemas_->check(shape, without, at, report);
  if (challenge && exchange.status != 401)
    report.add("error-shape", at, "", "challenge", "only UNAUTHENTICATED has a \"challenge\"");
  std::string kind =
      error->contains("error_type") && (*error)["error_type"].is_string() ? (*error)["error_type"] : Json("");
  if (kind.empty()) return report.add("error-shape", at, "", "error_type", at + " needs an \"error_type\"");
  const Json& known = facts_->at("automation").at("errors").at(exchange.dialect);
  auto statuses = known.find(kind);
  if (statuses == known.end() ||
      std::find(statuses->begin(), statuses->end(), exchange.status) == statuses->end())
    report.add("error-status", at, "", kind,
               kind + " never comes with the status " + std::to_string(exchange.status));
  if (exchange.dialect != "rest") return;
  std::string type = "com.vmware.vapi.std.errors.";
  for (char c : kind) type += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (reply["type"] != type)
    report.add("error-shape", "reply/type", "", reply["type"],
               "the type of " + kind + " is \"" + type + "\"");
}

// /sdk/vim25/{release}/{type}/{id}/{member}: GET reads a property, POST calls a method.
void ExchangeCheck::check_vim(const Exchange& exchange, Report& report) const {
  auto segments = split(exchange.path.substr(0, exchange.path.find('?')), '/');
  if (segments.size() != 7 || segments[1] != "sdk" || segments[2] != "vim25" || segments[3].empty() ||
      segments[3].find_first_not_of("0123456789.") != std::string::npos || segments[5].empty())
    return report.add("path", "request", "", exchange.path, exchange.path + " is no VI/JSON path");
  const std::string &type = segments[4], &name = segments[6];
  report.operation = exchange.method + " " + type + "." + name;
  if (exchange.path.find('?') != std::string::npos)
    report.add("query", "request", "", "", "VI/JSON has no query parameters");
  if (!vim_->is_managed(type))
    return report.add("path", "request", type, type, "there is no managed type " + type);
  if (exchange.method == "GET") return check_vim_property(exchange, type, name, report);
  if (exchange.method == "POST") return check_vim_method(exchange, type, name, report);
  report.add("method", "request", "", exchange.method,
             "VI/JSON knows GET for properties and POST for methods");
}

void ExchangeCheck::check_vim_property(const Exchange& exchange, const std::string& type,
                                       const std::string& name, Report& report) const {
  const Json* declared = vim_->property(type, name);
  if (!declared) {
    const char* rule = vim_->method(type, name) ? "method" : "path";
    return report.add(rule, "request", type, name, type + " has no property " + name);
  }
  if (!exchange.request_body.is_null())
    report.add("body", "request", "", "", "reading a property takes no request body");
  if (exchange.injected) return;
  if (exchange.status >= 400) return check_vim_failure(exchange, nullptr, report);
  check_vim_reply(exchange, declared->get<std::string>(), report);
}

void ExchangeCheck::check_vim_method(const Exchange& exchange, const std::string& type,
                                     const std::string& name, Report& report) const {
  const Json* declared = vim_->method(type, name);
  if (!declared) {
    const char* rule = vim_->property(type, name) ? "method" : "path";
    return report.add(rule, "request", type, name, type + " has no method " + name);
  }
  const Json none = Json::object();
  const Json& parameters = exchange.request_body.is_null() ? none : exchange.request_body;
  if (!parameters.is_object())
    return report.add("type", "request", "parameters", brief(parameters), "parameters are one JSON object");
  vim_->check_parameters((*declared)[0], parameters, "request", report);
  if (exchange.injected) return;
  if (exchange.status >= 400) return check_vim_failure(exchange, &(*declared)[2], report);
  check_vim_reply(exchange, (*declared)[1].get<std::string>(), report);
}

// Nothing at all is told as 204, an empty 200 or null; a value comes with 200.
void ExchangeCheck::check_vim_reply(const Exchange& exchange, const std::string& declared,
                                    Report& report) const {
  const bool nothing = exchange.reply_body.is_null();
  if (exchange.status != 200 && exchange.status != 204)
    return report.add("status", "reply", "", std::to_string(exchange.status),
                      "VI/JSON answers 200, 204 or 500");
  if (exchange.status == 204 && !nothing) report.add("body", "reply", "", "", "204 has no body");
  if (declared.empty()) {
    if (!nothing) report.add("body", "reply", "", "", "the method returns nothing");
    return;
  }
  if (nothing) {
    if (!declared.ends_with('?'))
      report.add("required", "reply", declared, "", "a value of " + declared + " must come back");
    return;
  }
  vim_->check(declared, exchange.reply_body, "reply", report);
}

void ExchangeCheck::check_vim_failure(const Exchange& exchange, const Json* declared_faults,
                                      Report& report) const {
  if (exchange.status != 500)
    report.add("status", "reply", "", std::to_string(exchange.status), "a fault comes with HTTP 500");
  if (exchange.reply_body.is_null()) return report.add("body", "reply", "", "", "the fault is missing");
  const Json& fault = exchange.reply_body;
  vim_->check_fault(fault, "reply", report);
  if (!fault.is_object() || !fault.contains("_typeName") || !fault["_typeName"].is_string()) return;
  auto type = fault["_typeName"].get<std::string>();
  if (!vim_->is_a(type, "MethodFault") || vim_->is_a(type, "RuntimeFault")) return;
  bool declared =
      declared_faults && std::any_of(declared_faults->begin(), declared_faults->end(),
                                     [&](const Json& f) { return vim_->is_a(type, f.get<std::string>()); });
  if (!declared)
    report.add("vim-fault", "reply", "", type, "the fault " + type + " is not declared for this member");
}

}  // namespace vmcp::contract
