//! A scheduled run in the words of cron, systemd and Kubernetes.
//!
//! Owns their quoting: each has its own, and a path may hold whatever a path can. The files in `samples/schedule` are what
//! stands here, and a test compares them.

use std::fmt::Write as _;

use super::{Job, Times};

/// Exit codes after which a unit has not failed: stopped as told, another run has the journal, stopped by a signal.
const FINE: &str = "5 75 130 143";

/// Words as a shell takes them.
pub fn shell(words: impl IntoIterator<Item = String>) -> String {
    let quoted = words.into_iter().map(|word| {
        // Only a zero byte can't be quoted, and no word of a command line has one.
        shlex::try_quote(&word).map_or_else(|_| word.clone(), std::borrow::Cow::into_owned)
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// A line for a crontab.
pub fn crontab(job: &Job) -> String {
    // cron ends the command at a `%` unless a backslash stands before it, whatever quotes stand around.
    let command = shell(job.words.iter().cloned()).replace('%', "\\%");
    format!("{}  {command}", cron_times(job.times))
}

fn cron_times(times: Times) -> String {
    match times {
        Times::Daily(hour, minute) => format!("{minute} {hour} * * *"),
        Times::Minutes(minutes) => format!("*/{minutes} * * * *"),
        Times::Hours(hours) => format!("0 */{hours} * * *"),
    }
}

/// A word as systemd takes it: `%` and `$` would mean something else.
fn unit_word(word: &str) -> String {
    let escaped = word
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('%', "%%")
        .replace('$', "$$");
    let is_plain = !escaped.is_empty()
        && escaped
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "/-_.,:=%@+".contains(c));
    if is_plain {
        escaped
    } else {
        format!("\"{escaped}\"")
    }
}

/// A service and its timer.
pub fn systemd(job: &Job) -> String {
    let words = job.words.iter().map(|word| unit_word(word));
    let start = words.collect::<Vec<_>>().join(" ");
    // A path may not be escaped by `$$`, which is for commands alone.
    let journal = unit_word(&job.journal).replace("$$", "$");
    let times = match job.times {
        Times::Daily(hour, minute) => format!("*-*-* {hour:02}:{minute:02}:00"),
        Times::Minutes(minutes) => format!("*-*-* *:00/{minutes}:00"),
        Times::Hours(hours) => format!("*-*-* 00/{hours}:00:00"),
    };
    format!(
        "\
# /etc/systemd/system/altfill.service
# The user must be there and own the journal's folder. The token comes from the environment file (X_OAUTH2_ACCESS_TOKEN=…, mode 0600), or
# from an option such as --token-command. A login by `altfill auth login` of this user is renewed where it is kept: then add that folder,
# .config/altfill in its home, to ReadWritePaths.
[Unit]
Description=Send alt text and other metadata for images that are on X
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
User=altfill
EnvironmentFile=-/etc/altfill/environment
ExecStart={start}
# Stopped as told, another run has the journal, stopped by a signal: none of these is a failure.
SuccessExitStatus={FINE}
# What is on its way is waited for.
TimeoutStopSec=60
UMask=0077

ReadWritePaths={journal}
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProcSubset=pid
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

# /etc/systemd/system/altfill.timer
# Then: systemctl daemon-reload && systemctl enable --now altfill.timer
[Unit]
Description=Run altfill at fixed times

[Timer]
OnCalendar={times}
# What was missed while the machine was off is made up for.
Persistent=yes

[Install]
WantedBy=timers.target"
    )
}

/// Text as YAML takes it: JSON's form of a text is one of YAML's.
fn yaml(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A `CronJob`.
pub fn cronjob(job: &Job) -> String {
    let mut command = String::new();
    for word in &job.words {
        // Kubernetes takes `$(NAME)` for a variable; two `$` are one.
        let _ = write!(
            command,
            "\n                - {}",
            yaml(&word.replace("$(", "$$("))
        );
    }
    let (mut mounts, mut volumes) = (String::new(), String::new());
    let folders = job.folders.iter().enumerate();
    for (number, folder) in folders {
        let name = if number == 0 {
            "manifests".to_owned()
        } else {
            format!("manifests-{}", number + 1)
        };
        let _ = write!(
            mounts,
            "\n                - name: {name}\n                  mountPath: {}\n                  readOnly: true",
            yaml(folder)
        );
        let _ = write!(
            volumes,
            "\n            - name: {name}\n              persistentVolumeClaim:\n                claimName: altfill-{name}\n                readOnly: true"
        );
    }
    format!(
        "\
# The volumes must be there: the journal's belongs to this job alone, and is of a kind with locks (a disk, and no network file system).
# The token is a secret: kubectl create secret generic altfill --from-literal=X_OAUTH2_ACCESS_TOKEN=…
apiVersion: batch/v1
kind: CronJob
metadata:
  name: altfill
spec:
  schedule: {times}
  # One run at a time has a journal. A second one would leave with 75.
  concurrencyPolicy: Forbid
  successfulJobsHistoryLimit: 3
  failedJobsHistoryLimit: 7
  jobTemplate:
    spec:
      # The next time goes on where this one ended: nothing is gained by trying at once.
      backoffLimit: 0
      template:
        spec:
          restartPolicy: Never
          # What is on its way is waited for.
          terminationGracePeriodSeconds: 60
          automountServiceAccountToken: false
          securityContext:
            runAsNonRoot: true
            runAsUser: 10001
            runAsGroup: 10001
            fsGroup: 10001
            seccompProfile:
              type: RuntimeDefault
          containers:
            - name: altfill
              image: altfill:latest
              command:{command}
              envFrom:
                - secretRef:
                    name: altfill
              securityContext:
                allowPrivilegeEscalation: false
                readOnlyRootFilesystem: true
                capabilities:
                  drop: [\"ALL\"]
              resources:
                requests:
                  cpu: 100m
                  memory: 64Mi
                limits:
                  memory: 512Mi
              volumeMounts:
                - name: journal
                  mountPath: {journal}
                - name: tmp
                  mountPath: /tmp{mounts}
          volumes:
            - name: journal
              persistentVolumeClaim:
                claimName: altfill-journal
            - name: tmp
              emptyDir: {{}}{volumes}",
        times = yaml(&cron_times(job.times)),
        journal = yaml(&job.journal),
    )
}
