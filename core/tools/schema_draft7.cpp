// The only file that includes valijson: it compiles slowly.
#include "tools/schema_draft7.h"

#include <re2/re2.h>

#define VALIJSON_USE_EXCEPTIONS 1
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wpedantic"
#endif
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

#include <exception>
#include <limits>

#include "base/mask.h"
#include "tools/schema_rules.h"

namespace vmcp::tools {
namespace {

using valijson::adapters::Adapter;
using valijson::adapters::NlohmannJsonAdapter;

// What valijson calls for the keywords that it must not judge itself.
struct OwnRules {
  bool integer = false;
  double multiple = 0;  // 0 = none
  std::size_t min_length = 0, max_length = std::numeric_limits<std::size_t>::max();
  std::size_t unique_up_to = 0;  // 0 = not asked for
  std::shared_ptr<const RE2> pattern;

  // Empty, or what is wrong.
  std::string judge(const Adapter& value) const {
    if (value.isNumber()) return judge_number(value);
    if (value.isString()) return judge_string(value.asString());
    if (unique_up_to > 0 && value.isArray()) return judge_array(value);
    return {};
  }

 private:
  std::string judge_number(const Adapter& value) const {
    const bool whole = value.isInteger() || integral(value.asDouble());
    if (integer && !whole) return "expected an integer";
    if (multiple != 0 && !multiple_of(value.asDouble(), multiple))
      return "expected a multiple of " + dump_json(Json(multiple));
    return {};
  }

  std::string judge_string(const std::string& text) const {
    if (min_length > 0 || max_length != std::numeric_limits<std::size_t>::max()) {
      const std::size_t length = code_points(text);
      if (length < min_length) return "expected at least " + std::to_string(min_length) + " characters";
      if (length > max_length) return "expected at most " + std::to_string(max_length) + " characters";
    }
    if (pattern && !RE2::PartialMatch(text, *pattern))
      return "expected a string matching " + pattern->pattern();
    return {};
  }

  std::string judge_array(const Adapter& value) const {
    if (value.getArraySize() > unique_up_to)
      return "expected at most " + std::to_string(unique_up_to) + " items";
    std::vector<std::unique_ptr<valijson::adapters::FrozenValue>> seen;
    bool twice = false;
    value.applyToArray([&](const Adapter& item) {
      for (const auto& other : seen) twice = twice || other->equalTo(item, true);
      seen.emplace_back(item.freeze());
      return !twice;
    });
    return twice ? "expected items that differ" : "";
  }
};

class OwnConstraint final : public valijson::constraints::PolyConstraint {
 public:
  explicit OwnConstraint(OwnRules rules) : rules_(std::move(rules)) {}

  bool validate(const Adapter& value, const std::vector<std::string>& context,
                valijson::ValidationResults* results) const override {
    std::string why = rules_.judge(value);
    if (why.empty()) return true;
    if (results != nullptr) results->pushError(context, why);
    return false;
  }

 private:
  valijson::constraints::Constraint* cloneInto(void* memory) const override {
    return new (memory) OwnConstraint(*this);
  }
  size_t sizeOf() const override { return sizeof(OwnConstraint); }

  OwnRules rules_;
};

class OwnBuilder final : public valijson::ConstraintBuilder {
 public:
  valijson::constraints::Constraint* make(const Adapter& keyword) const override {
    OwnRules rules;
    keyword.applyToObject([&](const std::string& name, const Adapter& value) {
      if (name == "integer") rules.integer = true;
      if (name == "multipleOf") rules.multiple = value.asDouble();
      if (name == "minLength") rules.min_length = static_cast<std::size_t>(value.asInteger());
      if (name == "maxLength") rules.max_length = static_cast<std::size_t>(value.asInteger());
      if (name == "uniqueItems") rules.unique_up_to = static_cast<std::size_t>(value.asInteger());
      if (name == "pattern") {
        RE2::Options options;
        options.set_log_errors(false);
        options.set_max_mem(1 << 20);
        rules.pattern = std::make_shared<const RE2>(value.asString(), options);
      }
      return true;
    });
    return new OwnConstraint(std::move(rules));  // the parser owns it
  }
};

// ["<root>", "[hosts]", "[0]"] → "/hosts/0".
std::string pointer_of(const std::vector<std::string>& context) {
  std::string out;
  for (std::size_t i = 1; i < context.size(); ++i)
    if (context[i].size() >= 2)
      append_pointer_token(out, std::string_view(context[i]).substr(1, context[i].size() - 2));
  return out.empty() ? "/" : mask_text(out, 200);
}

}  // namespace

struct Draft7::Impl {
  Json source;  // valijson keeps copies, but its adapters borrow while it compiles
  valijson::Schema schema;
};

Draft7::Draft7(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Draft7::~Draft7() = default;

Result<std::unique_ptr<const Draft7>> Draft7::compile(const GatedSchema& gated) {
  if (gated.recursive)
    return make_error(Code::malformed, "a recursive schema cannot be checked by this engine");
  auto rewritten = rewrite_for_draft7(gated);
  if (!rewritten) return rewritten.error();
  auto impl = std::make_unique<Impl>();
  impl->source = std::move(*rewritten);
  try {
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    parser.addConstraintBuilder("x-own", new OwnBuilder);
    const NlohmannJsonAdapter adapter(impl->source);
    parser.populateSchema(adapter, impl->schema);
  } catch (const std::exception& e) {
    return make_error(Code::malformed, std::string("not usable: ") + e.what());
  }
  return std::unique_ptr<const Draft7>(new Draft7(std::move(impl)));
}

void Draft7::check(const Json& value, Violations& out) const {
  thread_local valijson::Validator validator;  // not safe to share
  try {
    const NlohmannJsonAdapter adapter(value);
    if (validator.validate(impl_->schema, adapter, nullptr)) return;
    valijson::ValidationResults results;
    validator.validate(impl_->schema, adapter, &results);
    valijson::ValidationResults::Error error;
    const std::size_t before = out.lines.size();
    while (!out.full() && results.popError(error))
      out.add(pointer_of(error.context) + ": " + mask_text(error.description, 300));
    if (out.lines.size() == before && !out.full()) out.add("/: does not fit the schema");
  } catch (const std::exception&) {
    out.add("/: could not be checked against the schema");
  }
}

}  // namespace vmcp::tools
