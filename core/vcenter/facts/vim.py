"""The vim25 part: managed types with methods and properties, data types and enumerations."""

import json

# VMODL's own names as the wire knows them; "@X" is a reference to a managed object of type X, "@" to any. A fault inside a data object travels as LocalizedMethodFault.
WIRE = {
    "vmodl.DateTime": "dateTime",
    "vmodl.Binary": "binary",
    "vmodl.PropertyPath": "string",
    "vmodl.MethodName": "string",
    "vmodl.TypeName": "string",
    "vmodl.ManagedObject": "@",
    "vmodl.MethodFault": "LocalizedMethodFault",
    "vmodl.RuntimeFault": "LocalizedMethodFault",
    "vmodl.DataObject": "DynamicData",
}
ROOTS = {"vmodl.DataObject": "", "vmodl.MethodFault": "MethodFault", "vmodl.RuntimeFault": "RuntimeFault"}

# Types that the documents take for granted (vmodl.*), as the vSphere Web Services API reference gives them.
BUILT_IN = {
    "MethodFault": ["", {"faultCause": "LocalizedMethodFault?", "faultMessage": "LocalizableMessage[]?"}],
    "RuntimeFault": ["MethodFault", {}],
    "LocalizedMethodFault": ["DynamicData", {"fault": "MethodFault", "localizedMessage": "string?"}],
}


class Model:
    def __init__(self, path):
        source = json.load(open(path))
        self.data, self.enums, self.managed = source["data"], source["enums"], source["managed"]

    def wire(self, name):
        array = name.endswith("[]")
        base = name[:-2] if array else name
        if base in self.managed:
            base = "@" + base
        elif base in WIRE:
            base = WIRE[base]
        return base + ("[]" if array else "")

    def typed(self, declaration):
        return self.wire(declaration["type"]) + ("?" if declaration["optional"] else "")

    def types(self):
        """(name, parent) of every managed type, sorted; the root's parent is empty."""
        return [(n, t["parent"] if t["parent"] in self.managed else "") for n, t in sorted(self.managed.items())]

    def members(self, kind):
        """(Type.member, privilege) of every method or property, sorted by id."""
        rows = []
        for name, managed in self.managed.items():
            for member, facts in managed[kind].items():
                rows.append((name + "." + member, facts.get("privilege") or ""))
        return sorted(rows)

    def is_a(self, name, ancestor):
        while name in self.managed:
            if name == ancestor:
                return True
            name = self.managed[name]["parent"]
        return False

    def facts(self):
        """What the contract checker needs: every data type (any may stand where its parent is named), every
        enumeration, and the managed types."""
        data = {}
        for name, facts in self.data.items():
            parent = ROOTS.get(facts["parent"], facts["parent"])
            data[name] = [parent, {k: self.typed(v) for k, v in facts["properties"].items()}]
        for name, facts in BUILT_IN.items():
            data.setdefault(name, facts)
        managed = {}
        for name, parent in self.types():
            facts = self.managed[name]
            methods = {}
            for method, m in facts["methods"].items():
                methods[method] = [
                    {p["name"]: self.typed(p) for p in m["params"]},
                    self.typed(m["returns"]) if m["returns"]["type"] != "void" else "",
                    m["faults"],
                ]
            managed[name] = [parent, {k: self.typed(v) for k, v in facts["properties"].items()}, methods]
        return {"data": data, "enums": self.enums, "managed": managed}
