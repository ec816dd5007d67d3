"""One run on the screen: heading, timeline, metrics and artifacts; used beside the list and full screen."""
