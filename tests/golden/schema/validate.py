"""validate.py SCHEMA FILE...: says where documents of rules do not fit the schema.

A Markdown file stands for its examples of rules. Scalars are read as editors read them, by YAML
1.2: `on` and `no` are texts, and so are dates."""

import json
import re
import sys

import jsonschema
import yaml


class Loader(yaml.CSafeLoader):
    """YAML 1.2's core schema, as far as rules go."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers
            if not tag.endswith((":timestamp", ":bool"))]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool",
                             re.compile("^(true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


def texts_of(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if not path.endswith(".md"):
        return [text]
    examples = re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [example for example in examples
            if re.search(r"^(rules|overrides):", example, re.MULTILINE)]


def leaves(error):
    """What is wrong; of alternatives that all fail, in the one that comes closest."""
    if not error.context:
        return [error]
    branches = {}
    for inner in error.context:
        branches.setdefault(inner.schema_path[0], []).extend(leaves(inner))
    return max(branches.values(),
               key=lambda found: max(len(leaf.absolute_path) * 2 + (leaf.validator != "type")
                                     for leaf in found))


def main(schema_path, *paths):
    with open(schema_path, encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    count = wrong = 0
    for path in paths:
        for text in texts_of(path):
            for document in yaml.load_all(text, Loader):
                if document is None:
                    continue
                count += 1
                found = {"/".join(map(str, leaf.absolute_path)) + ": " +
                         leaf.message.partition(" match")[0]
                         for error in validator.iter_errors(document) for leaf in leaves(error)}
                print(*sorted(found), sep="\n", end="\n" if found else "")
                wrong += len(found)
    print(f"{count} documents, {wrong} mistakes")


main(*sys.argv[1:])
