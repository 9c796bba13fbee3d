"""The Automation API part: Swagger documents in, operations and compact schemas out."""

import json
import re

DOCUMENTS = [
    "vcenter-7.0.3.json",
    "session-8.0.2.json",
    "cis-8.0.2.json",
    "content-8.0.2.json",
    "appliance-8.0.2.json",
]

# Path parameters whose value is an inventory object: they win over other parameters of the same path.
INVENTORY_PARAMETERS = ["vm", "host", "cluster", "datastore", "network", "datacenter", "folder", "resource_pool"]

# What the contract checker needs to know of: our own requests and everything that the simulator may answer.
CHECKED_PREFIXES = [
    "/api/session",
    "/api/vcenter/",
    "/api/cis/tagging/",
    "/api/cis/tasks",
    "/api/appliance/system",
    "/api/appliance/health",
    "/rest/com/vmware/cis/session",
    "/rest/com/vmware/cis/tagging/",
    "/rest/vcenter/",
    "/rest/cis/tasks",
    "/rest/appliance/system",
    "/rest/appliance/health",
]
# Of /vcenter, the parts that neither side speaks; they would make up most of the file.
UNCHECKED = [
    "namespace", "trusted-infrastructure", "vcha", "deployment", "lcm", "certificate-management", "content",
    "crypto-manager", "identity", "iso", "ovf", "hvc", "topology", "system-config", "authentication", "compute",
    "guest/customization", "vm-template", "storage", "services",
]


class Operation:
    def __init__(self, method, path, document, definitions):
        self.method = method
        self.path, _, query = path.partition("?")
        self.path = self.path.rstrip("/")  # two documented paths end in one; no server needs it
        chooser = dict(p.partition("=")[::2] for p in query.split("&") if p)
        self.action = chooser.get("action", "") or chooser.get("~action", "")
        self.chooser = "&".join(k + "=" + v for k, v in chooser.items() if v)  # "?file_name" chooses nothing
        self.task = chooser.get("vmw-task") == "true"
        self.document = document
        self.definitions = definitions

    @property
    def id(self):
        return self.method + " " + self.path + ("?" + self.chooser if self.chooser else "")

    @property
    def dialect(self):
        return self.path.split("/")[1]

    def parameters(self, where):
        return [p for p in self.document.get("parameters", []) if p["in"] == where]

    def privileges(self):
        text = self.document.get("summary", "") + " " + self.document.get("description", "")
        found = re.findall(r"requires ([A-Z]\w*(?:\.\w+)+)", text)
        return ",".join(dict.fromkeys(found))

    def object(self):
        names = re.findall(r"\{(\w+)\}", self.path)
        for name in INVENTORY_PARAMETERS:
            if name in names:
                return name
        return names[0] if names else ""

    def success_schema(self):
        for status, reply in sorted(self.document["responses"].items()):
            if status.startswith("2") and "schema" in reply:
                return resolve(reply["schema"], self.definitions)
        return {}

    def answers_many(self):
        schema = self.success_schema()
        return schema.get("type") == "array" or "additionalProperties" in schema


def resolve(schema, definitions):
    while "$ref" in schema:
        schema = definitions[schema["$ref"].rsplit("/", 1)[1]]
    return schema


def load(folder, supplement):
    """Every operation of every document, sorted by id. The same id in two documents must not happen."""
    operations = {}
    sources = [(name, json.load(open(folder / name))) for name in DOCUMENTS]
    shared = {}
    for _, source in sources:
        shared.update(source["definitions"])
    sources.append(("supplement", {"paths": supplement["paths"], "definitions": shared}))
    for name, source in sources:
        for path, methods in source["paths"].items():
            for method, document in methods.items():
                operation = Operation(method.upper(), path, document, source["definitions"])
                known = operations.get(operation.id)
                if known is None or len(document.get("parameters", [])) > len(known.document.get("parameters", [])):
                    operations[operation.id] = operation
    return [operations[key] for key in sorted(operations)]


def effect(operation, reads, sessions):
    if operation.id in sessions:
        return "session"
    if operation.method == "GET" or operation.id in reads:
        return "read"
    return "change"


def checked(operation):
    if not any(operation.path.startswith(prefix) for prefix in CHECKED_PREFIXES):
        return False
    inside = operation.path.split("/", 3)[3] if operation.path.count("/") >= 3 else ""
    return not any(inside.startswith(part) for part in UNCHECKED)


class SchemaWriter:
    """Compact schemas: "s" "i" "n" "b" "o" are string, integer, number, boolean, any value; "#X" names a schema;
    {"a": …} array, {"m": …} map by string, {"e": […]} enumeration, {"p": {…}, "r": […]} object with required."""

    PLAIN = {"string": "s", "integer": "i", "number": "n", "boolean": "b"}

    def __init__(self):
        self.schemas = {}

    def write(self, schema, definitions):
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[1]
            if name not in self.schemas:
                self.schemas[name] = None  # recursion ends here
                self.schemas[name] = self.write(definitions[name], definitions)
            return "#" + name
        if "enum" in schema:
            return {"e": schema["enum"]}
        kind = schema.get("type", "object")
        if kind == "array":
            return {"a": self.write(schema["items"], definitions)}
        if kind != "object":
            return self.PLAIN[kind]
        if "additionalProperties" in schema:
            return {"m": self.write(schema["additionalProperties"], definitions)}
        if "properties" not in schema:
            return "o"
        out = {"p": {k: self.write(v, definitions) for k, v in schema["properties"].items()}}
        if schema.get("required"):
            out["r"] = sorted(schema["required"])
        return out

    def operation(self, operation):
        out = {"id": operation.id}
        query = {p["name"]: self.write(p, operation.definitions) for p in operation.parameters("query")}
        if query:
            out["query"] = query
        needed = [p["name"] for p in operation.parameters("query") if p.get("required") is True]
        if needed:
            out["query_required"] = needed
        for body in operation.parameters("body"):
            out["body"] = self.write(body["schema"], operation.definitions)
            out["body_required"] = body.get("required") is True
        out["replies"] = {
            status: self.write(reply["schema"], operation.definitions) if "schema" in reply else None
            for status, reply in sorted(operation.document["responses"].items())
        }
        return out


def error_statuses(operations):
    """Which error type may come with which status, per dialect, counted over every documented operation: one
    operation documents only one type per status, although a vCenter has several."""
    out = {"api": {}, "rest": {}}
    for operation in operations:
        for status, reply in operation.document["responses"].items():
            if int(status) < 400:
                continue
            name = reply.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1]
            if name.startswith("VapiStdErrors"):
                kind = re.sub(r"(?<!^)(?=[A-Z])", "_", name[len("VapiStdErrors"):]).upper()
            elif name.startswith("vapi.std.errors."):
                kind = name[len("vapi.std.errors."):].removesuffix("_error").upper()
            else:
                continue
            statuses = out[operation.dialect].setdefault(kind, [])
            if int(status) not in statuses:
                statuses.append(int(status))
    return {d: {k: sorted(v) for k, v in sorted(kinds.items())} for d, kinds in out.items()}
