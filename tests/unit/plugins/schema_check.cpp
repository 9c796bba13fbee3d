// The one file of these tests that includes valijson: it compiles slowly.
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "unit/plugins/fake_host.h"

namespace vmcp::test {

std::vector<std::string> FakeHost::schema_problems(std::string_view name, const Json& answer) const {
  using Adapter = valijson::adapters::NlohmannJsonAdapter;
  const Json document = Json::parse(tool(name).output_schema);
  valijson::Schema schema;
  valijson::SchemaParser().populateSchema(Adapter(document), schema);
  valijson::ValidationResults results;
  valijson::Validator().validate(schema, Adapter(answer), &results);
  std::vector<std::string> out;
  for (const auto& error : results) {
    std::string where;
    for (const std::string& part : error.context) where += part;
    out.push_back(where + ": " + error.description);
  }
  return out;
}

}  // namespace vmcp::test
