#include "vcenter/release.h"

#include <Poco/AutoPtr.h>
#include <Poco/DOM/DOMParser.h>
#include <Poco/DOM/Document.h>
#include <Poco/DOM/Element.h>
#include <Poco/DOM/NodeList.h>
#include <Poco/Exception.h>
#include <Poco/SAX/XMLReader.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/json.h"

namespace vmcp::vcenter {
namespace {

constexpr std::size_t kMaxXml = 64 * 1024;

// "8.0.3.0" → {8,0,3,0}; the shorter one is padded with zeros by the comparison. Empty if it is not such a
// number.
std::vector<int> numbers(std::string_view version) {
  std::vector<int> out;
  while (!version.empty() && out.size() < 8) {
    int value = 0;
    const auto [end, ec] = std::from_chars(version.data(), version.data() + version.size(), value);
    if (ec != std::errc()) return {};
    out.push_back(value);
    version.remove_prefix(static_cast<std::size_t>(end - version.data()));
    if (version.empty()) break;
    if (version.front() != '.') return {};
    version.remove_prefix(1);
  }
  out.resize(8);
  return out;
}

Error not_versions(std::string detail) {
  return make_error(
      Code::unavailable,
      "the address does not answer like a vCenter (no readable /sdk/vimServiceVersions.xml); fix: the "
      "operator checks VCENTER_HOST",
      std::move(detail));
}

// The text of the direct child elements `name` of `parent`.
std::vector<std::string> child_texts(Poco::XML::Node* parent, const std::string& name) {
  std::vector<std::string> out;
  for (Poco::XML::Node* node = parent->firstChild(); node; node = node->nextSibling()) {
    if (node->nodeName() == name) out.push_back(node->innerText());
  }
  return out;
}

std::vector<std::string> vim_versions(const std::string& xml) {
  Poco::XML::DOMParser parser;
  parser.setFeature(Poco::XML::XMLReader::FEATURE_EXTERNAL_GENERAL_ENTITIES, false);
  parser.setFeature(Poco::XML::XMLReader::FEATURE_EXTERNAL_PARAMETER_ENTITIES, false);
  const Poco::AutoPtr<Poco::XML::Document> document = parser.parseString(xml);
  const Poco::AutoPtr<Poco::XML::NodeList> spaces = document->getElementsByTagName("namespace");
  std::vector<std::string> out;
  for (unsigned long i = 0; i < spaces->length(); ++i) {
    Poco::XML::Node* space = spaces->item(i);
    const std::vector<std::string> names = child_texts(space, "name");
    if (names.empty() || names.front() != "urn:vim25") continue;
    out = child_texts(space, "version");
    for (Poco::XML::Node* node = space->firstChild(); node; node = node->nextSibling()) {
      if (node->nodeName() != "priorVersions") continue;
      for (std::string& prior : child_texts(node, "version")) out.push_back(std::move(prior));
    }
    break;
  }
  return out;
}

std::string text_of(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

std::string moref_of(const Json& content, const char* key) {
  const auto it = content.find(key);
  return it != content.end() && it->is_object() ? text_of(*it, "value") : std::string();
}

}  // namespace

std::string hello_body() {
  Json releases = Json::array();
  for (std::string_view release : kReleases) releases.push_back(std::string(release));
  return dump_json({{"api_releases", std::move(releases)}});
}

std::string release_from_hello(std::string_view body) {
  const Result<Json> parsed = parse_trusted_json(body, 65536);
  if (!parsed || !parsed->is_object()) return {};
  const std::string release = text_of(*parsed, "api_release");
  return std::find(kReleases.begin(), kReleases.end(), release) == kReleases.end() ? std::string() : release;
}

Result<std::string> release_from_versions(std::string_view xml) {
  if (xml.size() > kMaxXml) return not_versions("larger than 64 KiB");
  if (xml.find("<!DOCTYPE") != std::string_view::npos || xml.find("<!ENTITY") != std::string_view::npos) {
    return not_versions("it declares a document type");
  }
  std::vector<std::string> versions;
  try {
    versions = vim_versions(std::string(xml));
  } catch (const Poco::Exception& e) {
    return not_versions(e.displayText());
  }
  std::vector<int> newest;
  std::string newest_text;
  for (const std::string& version : versions) {
    const std::vector<int> number = numbers(version);
    if (!number.empty() && (newest.empty() || number > newest)) {
      newest = number;
      newest_text = version;
    }
  }
  if (newest.empty()) return not_versions("no version of urn:vim25");
  for (std::string_view ours : kReleases) {
    if (std::find(versions.begin(), versions.end(), ours) != versions.end()) return std::string(ours);
  }
  // Not listed by name, but a server accepts what is older than itself.
  for (std::string_view ours : kReleases) {
    if (numbers(ours) <= newest) return std::string(ours);
  }
  return make_error(
      Code::unavailable,
      "VI/JSON needs vCenter 8.0 U1 (release 8.0.1.0) or later, and this one speaks " + newest_text +
          "; fix: the operator updates vCenter; what only the Automation API needs keeps working");
}

Result<About> read_service_content(std::string_view body, std::string_view release) {
  const Result<Json> parsed = parse_trusted_json(body, 1u << 20);
  if (!parsed || !parsed->is_object() || !parsed->contains("about") || !(*parsed)["about"].is_object()) {
    return make_error(
        Code::unavailable,
        "vCenter did not describe itself (ServiceInstance content); fix: repeat later, and the operator "
        "looks at vCenter's health",
        parsed ? "no member 'about'" : parsed.error().text);
  }
  const Json& content = *parsed;
  const Json& about = content["about"];
  About out;
  out.version = text_of(about, "version");
  out.build = text_of(about, "build");
  out.api_version = text_of(about, "apiVersion");
  out.full_name = text_of(about, "fullName");
  out.instance_uuid = text_of(about, "instanceUuid");
  out.root_folder = moref_of(content, "rootFolder");
  out.property_collector = moref_of(content, "propertyCollector");
  out.view_manager = moref_of(content, "viewManager");
  out.session_manager = moref_of(content, "sessionManager");
  out.performance_manager = moref_of(content, "perfManager");
  out.task_manager = moref_of(content, "taskManager");
  out.vim_release = std::string(release);
  return out;
}

}  // namespace vmcp::vcenter
