"""Judges what central exports with parsers that are not ours.

    judge_exports.py epcis FILE SCHEMA | codeco FILE

Prints what it found as JSON; anything that the standard forbids ends it with a message.
"""
import json
import sys

kind, file = sys.argv[1:3]
if kind == "epcis":
    import jsonschema
    with open(file, "rb") as f:
        document = json.load(f)
    with open(sys.argv[3], "rb") as f:
        schema = json.load(f)
    checker = jsonschema.Draft7Validator(schema, format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER)
    wrong = [f"{list(e.absolute_path)}: {e.message[:300]}" for e in checker.iter_errors(document)]
    if wrong:
        sys.exit("\n".join(wrong))
    print(json.dumps([e["type"] for e in document["epcisBody"]["eventList"]]))
else:
    from pydifact.segmentcollection import Interchange
    with open(file, encoding="iso-8859-1") as f:
        interchange = Interchange.from_str(f.read())
    interchange.validate()
    out = []
    for message in interchange.get_messages():
        message.validate()
        out.append({"type": message.type, "segments": [[s.tag, *s.elements] for s in message.segments]})
    print(json.dumps(out))
