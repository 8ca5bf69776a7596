"""Collections in the stand-in for the Hub."""

import json
import re

from hub_state import Refused, object_id


class Collections:
    """Actions of the server's handler; they use its ``hub``, ``body`` and ``may_write``."""

    def collect(self):
        request = json.loads(self.body)
        self.may_write(request["namespace"])
        words = re.sub("[^a-z0-9]+", "-", request["title"].lower()).strip("-")
        slug = f"{request['namespace']}/{words}-0123456789abcdef"
        if slug in self.hub.collections:
            raise Refused(409, "a collection of this title exists", slug=slug)
        self.hub.collections[slug] = {"slug": slug, "title": request["title"], "items": []}
        return self.collection(slug)

    def collection(self, slug):
        found = self.hub.collections[slug]
        items = [
            {"_id": object_id(item), "id": item, "type": "model", "position": i, "repoType": "model"}
            for i, item in enumerate(found["items"])
        ]
        owner = {"name": slug.split("/")[0], "type": "user"}
        return {**found, "items": items, "owner": owner, "lastUpdated": "2026-01-01T00:00:00.000Z", "private": False,
                "position": 0, "theme": "blue", "upvotes": 0}  # fmt: skip

    def move_item(self, slug, item_id):
        self.may_write(slug.split("/")[0])
        items = self.hub.collections[slug]["items"]
        (item,) = (name for name in items if object_id(name) == item_id)
        items.remove(item)
        items.insert(json.loads(self.body)["position"], item)
        return {}

    def add_item(self, slug):
        self.may_write(slug.split("/")[0])
        items, wanted = self.hub.collections[slug]["items"], json.loads(self.body)["item"]["id"]
        if wanted in items:
            raise Refused(409, "already in the collection")
        items.append(wanted)
        return self.collection(slug)
