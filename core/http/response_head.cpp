#include "http/response_head.h"

#include <charconv>

#include "http/syntax.h"

namespace vmcp::http {
namespace {

std::string_view reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "";
  }
}

template <class Integer>
void append_number(std::string& out, Integer n) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, n);
  out.append(digits, end.ptr);
}

bool carries_content(int status) {
  return status >= 200 && status != 204 && status != 304;
}

}  // namespace

bool write_response_head(std::string& out, const Response& response, ResponseFraming framing) {
  if (response.status < 200 || response.status > 599 || !is_field_value(response.content_type)) return false;
  if (framing.length != ResponseFraming::Length::known && !carries_content(response.status)) return false;
  out.clear();
  out += "HTTP/1.1 ";
  append_number(out, response.status);
  out += ' ';
  out += reason(response.status);
  out += "\r\n";
  if (!response.content_type.empty()) {
    out += "Content-Type: ";
    out += response.content_type;
    out += "\r\n";
  }
  for (const auto& [name, value] : response.headers) {
    if (!is_token(name) || !is_field_value(value)) return false;
    out += name;
    out += ": ";
    out += value;
    out += "\r\n";
  }
  if (framing.length == ResponseFraming::Length::chunked) out += "Transfer-Encoding: chunked\r\n";
  if (framing.length == ResponseFraming::Length::known && carries_content(response.status)) {
    out += "Content-Length: ";
    append_number(out, response.body.size());
    out += "\r\n";
  }
  if (framing.close) {
    out += "Connection: close\r\n";
  } else if (framing.say_keep_alive) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
  return true;
}

bool response_has_body(const Response& response, bool head_request) {
  return !head_request && carries_content(response.status) && !response.body.empty();
}

}  // namespace vmcp::http
