// The official Node client has no option for a port, and asks Node's default: so that is what is set.
'use strict';
const http = require('http');
http.globalAgent.defaultPort = Number(new URL(process.env.SANDBOX_URL).port);
