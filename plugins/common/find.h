// The one object that a person meant, who writes names where tools take ids. Prompts get their arguments as
// texts that the host does not resolve.
#pragma once

#include <string>
#include <utility>
#include <vector>
#include "common/json.h"

#include "common/object.h"

namespace vmcp::plugins {

// What can be looked for, in the words of an error text.
struct Sought {
  const char* kind;    // of the inventory: "vm"
  const char* words;   // "virtual machine"
  const char* lister;  // the tool that shows which there are
};
constexpr Sought kVm{"vm", "virtual machine", "list_vms"};
constexpr Sought kHost{"host", "host", "list_hosts"};
constexpr Sought kDatastore{"datastore", "datastore", "list_datastores"};
constexpr Sought kDatacenter{"datacenter", "datacenter", "list_datacenters"};

struct Found {
  reply source;  // failed: says why in words for the caller
  json object;   // with the properties that were asked for

  std::string id() const { return object.value("id", ""); }
  std::string name() const { return object.value("name", ""); }
};

namespace find_detail {

inline json objects_where(const call& c, const char* kind, json where, reply& source) {
  constexpr int kMost = 1000;  // names are globs: "*" must not fetch a whole site
  source = c.inventory().list(json{{"kind", kind}, {"where", std::move(where)}, {"limit", kMost}});
  return source ? parse(source).value("objects", json::array()) : json::array();
}

// Those among `objects` that the text names exactly: globs and part of a path match more.
inline std::vector<json> named_exactly(const json& objects, const std::string& text) {
  std::vector<json> out;
  const char* key = text.front() == '/' ? "path" : "name";
  for (const json& object : objects) {
    if (object.value(key, "") == text) out.push_back(object);
  }
  return out;
}

inline Found fail(status why, std::string words) {
  Found out;
  out.source.status = why;
  out.source.error = std::move(words);
  return out;
}

inline Found ambiguous(const Sought& what, const std::string& text, const std::vector<json>& same) {
  constexpr std::size_t kShown = 10;
  std::string words = std::to_string(same.size()) + " objects of the kind " + what.words + " are called " +
                      quote(text) + "; give the id of the one that is meant:";
  for (std::size_t i = 0; i < same.size() && i < kShown; ++i)
    words += (i == 0 ? " " : ", ") + same[i].value("id", "") + " (" + same[i].value("path", "") + ")";
  return fail(status::conflict, words + (same.size() > kShown ? ", …" : "") + ".");
}

}  // namespace find_detail

// By id, inventory path or exact name, in this order, among what the caller may see.
inline Found find_one(const call& c, const Sought& what, const std::string& text, const json& properties) {
  constexpr std::size_t kLongest = 1024;
  using namespace find_detail;
  if (text.empty() || text.size() > kLongest)
    return fail(status::invalid, std::string("Name the ") + what.words + ": its id, exact name or path.");
  Found out;
  std::vector<json> fitting;
  for (const json& object : objects_where(c, what.kind, {{"ids", {text}}}, out.source)) {
    fitting.push_back(object);
  }
  if (out.source && fitting.empty()) {
    const std::string last = text.front() == '/' ? text.substr(text.rfind('/') + 1) : text;
    if (!last.empty())
      fitting = named_exactly(objects_where(c, what.kind, {{"names", {last}}}, out.source), text);
  }
  if (!out.source) return out;
  if (fitting.empty())
    return fail(status::not_found, std::string("There is no ") + what.words + " " + quote(text) +
                                       " that you may see. " + what.lister + " shows those that there are.");
  if (fitting.size() > 1) return ambiguous(what, text, fitting);
  out.source = c.inventory().get(what.kind, fitting.front().value("id", ""), properties);
  out.object = out.source ? parse(out.source) : json();
  return out;
}

}  // namespace vmcp::plugins
