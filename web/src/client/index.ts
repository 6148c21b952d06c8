// The script at /api/client. It defines MeshClient for pages written for the
// walkthrough, and EventEmitter, which those pages expect too.

import { EventEmitter } from './emitter.ts';
import { MeshClient } from './mesh-client.ts';

Object.assign(window, { MeshClient, EventEmitter });
