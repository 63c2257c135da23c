// What the command line "data" does with the package datahub-client, the first
// client of the original service (its bin/data-login.js and bin/data-push.js):
//
//   node datahub.mjs login <provider>   sign in through a browser
//   node datahub.mjs push <folder>      publish the dataset in a folder
//
// Address and token are in the client's own configuration: the file named by
// DATAHUB_JSON. The last line of the output is JSON: what the gateway has told
// the client. It ends with its standard input, so it does not outlive the test.
import { Dataset } from 'data.js';
import { authenticate, config, DataHub, login } from 'datahub-client';

process.stdin.resume().on('end', () => process.exit(1));

const api = config.get('api');
const check = await authenticate(api, config.get('token'));

const verbs = {
  async login(provider) {
    await login(api, check.providers[provider].url, config.get('domain'));
    return { check };
  },

  // Unlike "data" it goes on without being signed in.
  async push(folder) {
    const profile = config.get('profile') ?? {};
    const hub = new DataHub({ apiUrl: api, token: config.get('token'), ownerid: profile.id, owner: profile.username });
    const tokens = { rawstore: await hub._authz('rawstore'), source: await hub._authz('source') };
    const dataset = await Dataset.load(folder);
    const push = await hub.push(dataset, { findability: 'unlisted' }).catch(({ message, status }) => ({ message, status }));
    return { check, tokens, push };
  },
};

const [verb, argument] = process.argv.slice(2);
const result = await verbs[verb](argument);
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit());
