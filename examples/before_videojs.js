/** Read by Video.js as it loads: no styles made by script, which a strict content security policy refuses. */
globalThis.VIDEOJS_NO_DYNAMIC_STYLE = true;
