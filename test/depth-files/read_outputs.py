"""Runs the snippets of docs/outputs.md in a folder of results: python read_outputs.py DOCS FOLDER.

Prints {name: {values, points?, text?}} as JSON; a list for each map where a snippet reads all of them.
"""

import json
import os
import re
import sys

import numpy as np

text = open(sys.argv[1]).read()
snippets = dict(re.findall(r"```python ([^\n]+)\n(.*?)```", text, re.S))
prelude = snippets.pop("prelude")
os.chdir(sys.argv[2])
found = {}
for name, snippet in snippets.items():
    assert len(snippet.splitlines()) == 2, name
    names = {}
    exec(prelude + snippet, names)
    values = np.asarray(names["values"])
    found[name] = {"shape": values.shape, "values": values.ravel().tolist()}
    if "points" in names:
        found[name]["points"] = names["points"].ravel().tolist()

import OpenEXR
import cv2

with OpenEXR.File("exr/000000.exr") as image:
    header = image.header()
    found["exr header"] = {key: str(header[key]) for key in ("quantity", "unit", "time", "epoch")}
found["exr channels"] = {}
for folder in ("exr", "exr-half"):
    with OpenEXR.File(f"{folder}/000000.exr") as image:
        found["exr channels"][folder] = {str(name): str(c.pixels.dtype) for name, c in image.channels().items()}
ply = names and __import__("plyfile").PlyData.read("ply/000000.ply")
vertex = ply["vertex"]
found["ply"] = {
    "comments": list(ply.comments),
    "colors": np.stack([vertex[name] for name in ("red", "green", "blue")], -1).ravel().tolist(),
}
found["quantity"] = str(np.load("walk.npz")["quantity"])
ramp = np.arange(256, dtype=np.uint8)
found["maps"] = {
    name: cv2.cvtColor(cv2.applyColorMap(ramp[:, None], code), cv2.COLOR_BGR2RGB).ravel().tolist()
    for name, code in (("turbo", cv2.COLORMAP_TURBO), ("inferno", cv2.COLORMAP_INFERNO), ("magma", cv2.COLORMAP_MAGMA))
}
print(json.dumps(found))
