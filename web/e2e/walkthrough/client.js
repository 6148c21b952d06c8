// A page in the way of the walkthrough: plain script, one client, login, and
// charts that are made by what comes in. It knows nothing of Vedette but the
// script at /api/client.

(function () {
  var client = new MeshClient({});
  var credentials = { username: 'username', password: 'password' };
  var hosts = {};
  var silence = 7000;
  var colours = ['#7f7', '#f77', '#77f', '#ff7', '#7ff', '#f7f'];

  window.log = [];
  window.client = client;

  client.login(credentials);

  // After the login was asked for, as pages do.
  client.on('login/allow', function () {
    window.log.push('login/allow');
    start();
  });
  client.on('login/deny', function (error) {
    window.log.push('login/deny ' + error);
  });
  client.on('login/error', function (error) {
    window.log.push('login/error ' + error);
  });
  client.on('reconnect/scheduled', function () {
    window.log.push('reconnect/scheduled');
  });
  client.on('reconnect/successful', function () {
    window.log.push('reconnect/successful');
  });

  function start() {
    client.event.master.on(
      'metrics/*',
      function (data, meta) {
        var parts = meta.path.match(/metrics\/(.*)$/)[1].split('/');
        var hostname = parts.shift();
        var chart = parts.shift();
        var item = parts.join('/');
        var host = hosts[hostname] || (hosts[hostname] = makeHost(hostname));
        host.seen = Date.now();
        lineOf(host, chart, item).append(data.ts, data.val);
      },
      function (error, id) {
        window.log.push(error ? 'on failed ' + error : 'on ' + typeof id);
      },
    );

    setInterval(function () {
      Object.keys(hosts).forEach(function (hostname) {
        if (Date.now() - hosts[hostname].seen < silence) return;
        hosts[hostname].element.remove();
        delete hosts[hostname];
        window.log.push('removed ' + hostname);
      });
    }, 1000);
  }

  function makeHost(hostname) {
    var element = document.createElement('div');
    element.className = 'host';
    var heading = document.createElement('h2');
    heading.textContent = hostname;
    element.appendChild(heading);
    document.getElementById('hosts').appendChild(element);
    return { element: element, charts: {}, seen: Date.now() };
  }

  function lineOf(host, chartName, item) {
    var chart = host.charts[chartName] || (host.charts[chartName] = makeChart(host, chartName));
    if (!chart.lines[item]) {
      var line = (chart.lines[item] = new TimeSeries());
      var colour = colours[Object.keys(chart.lines).length % colours.length];
      chart.smoothie.addTimeSeries(line, { strokeStyle: colour, lineWidth: 2 });
      chart.heading.textContent = chartName + ' (' + Object.keys(chart.lines).join(', ') + ')';
    }
    return chart.lines[item];
  }

  function makeChart(host, name) {
    var heading = document.createElement('h3');
    var canvas = document.createElement('canvas');
    canvas.width = 500;
    canvas.height = 100;
    host.element.appendChild(heading);
    host.element.appendChild(canvas);
    var smoothie = new SmoothieChart({ maxValueScale: 1.02 });
    smoothie.streamTo(canvas, 1000);
    return { smoothie: smoothie, heading: heading, lines: {} };
  }
})();
