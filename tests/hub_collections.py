"""What the stand-in for the Hub answers about collections."""

import json
import re

from hub_state import Refused, object_id


class Collections:
    """Actions of the server's handler, whose ``hub``, ``body`` and ``may_write`` they use."""

    def collect(self):
        asked = json.loads(self.body)
        self.may_write(asked["namespace"])
        slug = f"{asked['namespace']}/{re.sub('[^a-z0-9]+', '-', asked['title'].lower()).strip('-')}-0123456789abcdef"
        if slug in self.hub.collections:
            raise Refused(409, "a collection of this title exists", slug=slug)
        self.hub.collections[slug] = {"slug": slug, "title": asked["title"], "items": []}
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
