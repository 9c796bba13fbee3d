#include "base/json.h"

#include <algorithm>
#include <charconv>
#include <exception>
#include <unordered_set>
#include <vector>

template class nlohmann::basic_json<>;

namespace vmcp {
namespace {

Error bad_json(std::string why) {
  return make_error(Code::malformed, "Invalid JSON: " + std::move(why));
}

// Builds the tree in one pass while it checks; stops at the first violation.
class GuardedSax final : public nlohmann::json_sax<Json> {
 public:
  explicit GuardedSax(const JsonLimits& limits) : limits_(limits) {}

  bool null() override { return put(Json(nullptr)); }
  bool boolean(bool v) override { return put(Json(v)); }
  bool number_integer(number_integer_t v) override { return put(Json(v)); }
  bool number_unsigned(number_unsigned_t v) override { return put(Json(v)); }
  bool number_float(number_float_t v, const string_t& text) override {
    // The lexer falls back to double when an integer does not fit into 64 bits: refuse instead of rounding.
    if (text.find_first_of(".eE") == string_t::npos) return stop("an integer does not fit into 64 bits");
    if (v != v || v > 1.7976931348623157e308 || v < -1.7976931348623157e308)
      return stop("a number is out of range");
    return put(Json(v));
  }
  bool string(string_t& v) override { return put(Json(std::move(v))); }
  bool binary(binary_t&) override { return stop("binary value"); }

  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& k) override {
    Json& object = *stack_.back();
    if (limits_.refuse_case_variants && is_case_variant(object, k) && !object.contains(k))
      return stop("keys that differ only in case: \"" + k.substr(0, 64) + "\"");
    const auto [at, is_new] = object.get_ref<Json::object_t&>().try_emplace(std::move(k));
    if (!is_new) return stop("duplicate key \"" + at->first.substr(0, 64) + "\"");
    slot_ = &at->second;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& e) override {
    (void)e;
    return stop("syntax error at byte " + std::to_string(position));
  }

  Json root;
  std::string why;

 private:
  static constexpr std::size_t kFewKeys = 16;

  // Few keys are compared with each other; for many a set is kept, because comparing all pairs of 30,000 keys
  // takes seconds.
  bool is_case_variant(const Json& object, const std::string& k) {
    if (object.size() < kFewKeys) {
      for (auto it = object.begin(); it != object.end(); ++it)
        if (equal_ignoring_case(it.key(), k)) return true;
      return false;
    }
    lowered_.resize(std::max(lowered_.size(), stack_.size()));
    std::unordered_set<std::string>& seen = lowered_[stack_.size() - 1];
    if (object.size() == kFewKeys) {
      seen.clear();
      for (auto it = object.begin(); it != object.end(); ++it) seen.insert(lower(it.key()));
    }
    return !seen.insert(lower(k)).second;
  }

  static std::string lower(std::string text) {
    for (char& c : text)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return text;
  }

  static bool equal_ignoring_case(const std::string& a, const std::string& b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
             const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
             return lower(x) == lower(y);
           });
  }

  bool stop(std::string reason) {
    if (why.empty()) why = std::move(reason);
    return false;
  }

  Json* place(Json&& v) {
    if (stack_.empty()) {
      root = std::move(v);
      return &root;
    }
    Json& top = *stack_.back();
    if (top.is_array()) {
      top.push_back(std::move(v));
      return &top.back();
    }
    *slot_ = std::move(v);
    return slot_;
  }

  bool counted() { return ++values_ <= limits_.max_values || stop("too many values"); }
  bool put(Json&& v) {
    if (!counted()) return false;
    place(std::move(v));
    return true;
  }
  bool open(Json&& container) {
    if (!counted()) return false;
    if (stack_.size() >= limits_.max_depth)
      return stop("nested deeper than " + std::to_string(limits_.max_depth));
    stack_.push_back(place(std::move(container)));
    return true;
  }
  bool close() {
    stack_.pop_back();
    return true;
  }

  const JsonLimits& limits_;
  std::vector<Json*> stack_;  // an element stays in place while its descendants grow
  std::vector<std::unordered_set<std::string>> lowered_;  // per depth, of objects with many keys
  Json* slot_ = nullptr;                                  // of the key that was just read
  std::size_t values_ = 0;
};

}  // namespace

Result<Json> parse_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes)
    return bad_json("longer than " + std::to_string(limits.max_bytes) + " bytes");
  GuardedSax sax(limits);
  try {
    if (Json::sax_parse(text.begin(), text.end(), &sax, Json::input_format_t::json, true))
      return std::move(sax.root);
  } catch (const std::exception& e) {
    return make_error(Code::malformed, "Invalid JSON", e.what());
  }
  return bad_json(sax.why.empty() ? "syntax error" : sax.why);
}

Result<Json> parse_trusted_json(std::string_view text, std::size_t max_bytes) {
  return parse_json(text, JsonLimits{max_bytes, 64, 20'000'000, false});
}

}  // namespace vmcp
