#!/usr/bin/env python3
"""Makes core/vcenter/operations.gen.cpp and tests/contract/official-facts.json. See README.md beside this file.

    core/vcenter/facts/generate.py FOLDER

FOLDER holds the official documents: vcenter-openapi/*.json (Swagger) and vim25/vim25-8.0.json.
"""

import argparse
import json
import pathlib
import sys

import automation
import vim

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent


def reviewed(name, known):
    """The ids of one reviewed list. An id that no document holds is a mistake or a leftover: stop."""
    lines = (HERE / "reviewed" / name).read_text().splitlines()
    ids = {line.strip() for line in lines if line.strip() and not line.startswith("#")}
    unknown = sorted(ids - known)
    if unknown:
        sys.exit(f"{name}: not in the official documents: {', '.join(unknown)}")
    return ids


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Tree:
    """The paths as a tree of segments; a node's literal children stand together, sorted, so that they can be
    searched. Breadth first, because children must be neighbours."""

    def __init__(self, operations):
        root = {"children": {}, "operations": []}
        for operation in operations:
            node = root
            for segment in operation.path.strip("/").split("/"):
                key = "{}" if segment.startswith("{") else segment
                node = node["children"].setdefault(key, {"children": {}, "operations": []})
            node["operations"].append(operation)
        self.nodes, self.operations = [], []
        queue = [("", root)]
        while queue:
            following = []
            for segment, node in queue:
                self.nodes.append([segment, node])
                for key in sorted(node["children"]):  # '{' sorts behind every letter: the parameter is last
                    following.append((key, node["children"][key]))
            queue = following
        places = {id(node): index for index, (_, node) in enumerate(self.nodes)}
        self.rows = []
        for segment, node in self.nodes:
            keys = sorted(node["children"])
            literals = [k for k in keys if k != "{}"]
            first = places[id(node["children"][keys[0]])] if keys else 0
            parameter = places[id(node["children"]["{}"])] if "{}" in node["children"] else 0
            self.rows.append((segment, first, len(literals), parameter, len(self.operations), len(node["operations"])))
            self.operations += node["operations"]


def automation_source(operations, reads, sessions):
    tree = Tree(operations)
    out = ["constexpr PathNode kNodes[] = {"]
    for segment, first, literals, parameter, first_operation, count in tree.rows:
        out.append(f"    {{{quoted(segment)}, {first}, {literals}, {parameter}, {first_operation}, {count}}},")
    out += ["};", "", "constexpr PathOperation kAutomation[] = {"]
    for o in tree.operations:
        effect = automation.effect(o, reads, sessions)
        inventory = o.object() in automation.INVENTORY_PARAMETERS
        many = effect == "read" and o.answers_many() and not inventory
        query = ",".join(sorted(p["name"] for p in o.parameters("query")))
        out.append(
            f"    {{{quoted(o.method)}, {quoted(o.action)}, {str(o.task).lower()}, {quoted(query)},\n"
            f"     {{{quoted(o.id)}, Effect::{effect}, {quoted(o.privileges())}, {quoted(o.object())}, "
            f"{str(many).lower()}}}}},"
        )
    return out + ["};", ""]


def vim_source(model, reads, sessions):
    types = model.types()
    index = {name: i for i, (name, _) in enumerate(types)}
    out = ["constexpr TypeRow kTypes[] = {"]
    for name, parent in types:
        out.append(f"    {{{quoted(name)}, {index[parent] if parent else -1}}},")
    out += ["};", ""]
    for kind, table in (("methods", "kMethods"), ("properties", "kProperties")):
        out.append(f"constexpr Operation {table}[] = {{")
        for name, privilege in model.members(kind):
            owner = name.split(".")[0]
            effect = "session" if name in sessions else "read" if kind == "properties" or name in reads else "change"
            of_one = any(model.is_a(owner, t) for t in ("ManagedEntity", "VirtualMachineSnapshot", "Task"))
            many = effect == "read" and not of_one
            out.append(
                f'    {{{quoted(name)}, Effect::{effect}, {quoted(privilege)}, "", {str(many).lower()}}},'
            )
        out += ["};", ""]
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    folder = parser.parse_args().folder

    supplement = json.load(open(HERE / "reviewed" / "supplement.json"))
    everything = automation.load(folder / "vcenter-openapi", supplement)
    operations = [o for o in everything if o.dialect == "api"]
    model = vim.Model(folder / "vim25" / "vim25-8.0.json")

    automation_ids = {o.id for o in operations}
    methods = {name for name, _ in model.members("methods")}
    properties = {name for name, _ in model.members("properties")}
    sessions = reviewed("sessions.txt", automation_ids | methods | properties)
    automation_reads = reviewed("automation_reads.txt", automation_ids)
    vim_reads = reviewed("vim_reads.txt", methods)

    lines = [
        "// Generated by core/vcenter/facts/generate.py from the official documents. Do not edit.",
        "// clang-format off",
        '#include "vcenter/facts/table.h"',
        "",
        "namespace vmcp::vcenter::facts {",
        "namespace {",
        "",
    ]
    lines += automation_source(operations, automation_reads, sessions)
    lines += vim_source(model, vim_reads, sessions)
    lines += [
        "}  // namespace",
        "",
        "constinit const Table kTable{kNodes, kAutomation, kTypes, kMethods, kProperties};",
        "",
        "}  // namespace vmcp::vcenter::facts",
        "",
    ]
    (ROOT / "core/vcenter/operations.gen.cpp").write_text("\n".join(lines))

    schemas = automation.SchemaWriter()
    checked = [schemas.operation(o) for o in everything if automation.checked(o)]
    facts = {
        "automation": {
            "operations": checked,
            "schemas": dict(sorted(schemas.schemas.items())),
            "errors": automation.error_statuses(everything),
        },
        "vim": model.facts(),
    }
    target = ROOT / "tests/contract/official-facts.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(facts, separators=(",", ":"), ensure_ascii=False, sort_keys=False) + "\n")
    print(f"{len(operations)} Automation operations, {len(methods)} vim25 methods, {len(properties)} properties; "
          f"{len(checked)} operations and {target.stat().st_size} bytes of facts for the contract check")


if __name__ == "__main__":
    main()
