"""The Broker page: the link, who is connected, who was refused, what broker and collector do."""
