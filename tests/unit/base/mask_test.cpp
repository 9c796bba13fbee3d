#include "base/mask.h"

#include <doctest/doctest.h>

using namespace vmcp;

TEST_CASE("is_secret_key: knows the usual spellings and leaves ordinary names alone") {
  for (const char* key : {"password", "VCENTER_PASSWORD", "guest-password", "Authorization", "api_key",
                          "apiKey", "vmware-api-session-id", "clientSecret", "accessToken", "Cookie", "pwd"})
    CHECK_MESSAGE(is_secret_key(key), key);
  for (const char* key : {"vm_id", "name", "snapshot_name", "description", "host", "pass", "key", "tasks"})
    CHECK_FALSE_MESSAGE(is_secret_key(key), key);
}

TEST_CASE("mask_text: no credential survives") {
  const std::string canary = "cAnArY0123456789";
  for (const std::string& text : std::initializer_list<std::string>{
           "Authorization: Bearer " + canary, "bearer " + canary + " tail",
           "Basic " + canary + "==", "password=" + canary + "&x=1",
           "password: \"" + canary + " with blank\" x", "{\"token\":\"" + canary + "\"}",
           "https://user:" + canary + "@vc.example/sdk", "VCENTER_PASSWORD='" + canary + "'",
           "-----BEGIN PRIVATE KEY-----\n" + canary + "\n-----END PRIVATE KEY-----",
           "eyJhbGciOiJIUzI1NiJ9." + canary + "." + canary, "api_key = " + canary}) {
    CAPTURE(text);
    const std::string masked = mask_text(text);
    CHECK(masked.find(canary) == std::string::npos);
    CHECK(masked.find("[secret]") != std::string::npos);
  }
}

TEST_CASE("mask_text: leaves ordinary text as it is") {
  for (const std::string& text : std::initializer_list<std::string>{
           "VM ledger-db is powered on", "GET /api/vcenter/vm?names=a", "basic plan", "a-b --flag",
           "https://vc.example/sdk", "no token here", "user@example.org"}) {
    CHECK(mask_text(text) == text);
  }
}

TEST_CASE("mask_text: cuts and says so") {
  CHECK(mask_text(std::string(100, 'a'), 10) == std::string(10, 'a') + "…[cut]");
}

TEST_CASE("mask_text: a credential that the cut goes through is masked although its tail is not seen") {
  const std::string pad(100, 'x');
  for (const std::string credential :
       {"Bearer canary-0123456789abcdef", "eyJcanaryhead.canarybody.canarysignature",
        "https://user:canary@host/", "Basic Y2FuYXJ5OmNhbmFyeQ==", "password=canary-canary",
        "-----BEGIN KEY-----\ncanary\n-----END KEY-----"}) {
    const std::string text = pad + " " + credential + " " + pad;
    const auto secret = text.find(credential.starts_with("eyJ")     ? "eyJ"
                                  : credential.starts_with("Basic") ? "Y2F"
                                                                    : "canary");
    for (std::size_t max = secret + 1; max < text.size(); ++max) {
      const std::string masked = mask_text(text, max);
      CAPTURE(max);
      CHECK(masked.find(text.substr(secret, 3)) == std::string::npos);
      CHECK(masked.find("can") == std::string::npos);
    }
  }
}

TEST_CASE("append_masked_json: masks by key and inside strings, and stays valid JSON when cut") {
  const Json value = {{"vm_id", "vm-1"},
                      {"password", "hunter2"},
                      {"nested", {{"api_key", {"x", "y"}}, {"note", "Bearer abcdefghijk"}}},
                      {"n", 5}};
  std::string out;
  append_masked_json(out, value);
  CHECK(out.find("hunter2") == std::string::npos);
  CHECK(out.find("abcdefghijk") == std::string::npos);
  auto back = parse_json(out);
  REQUIRE(back.ok());
  CHECK((*back)["vm_id"] == "vm-1");
  CHECK((*back)["password"] == "[secret]");

  Json large = Json::array();
  for (int i = 0; i < 10'000; ++i) large.push_back("element");
  out.clear();
  append_masked_json(out, large, 1000);
  CHECK(out.size() < 5000);
  CHECK(parse_json(out).ok());

  Json deep = 1;
  for (int i = 0; i < 30; ++i) deep = Json::array({deep});
  out.clear();
  append_masked_json(out, deep);
  CHECK(out.find("[deep]") != std::string::npos);
  CHECK(parse_json(out).ok());
}
